import { describe, expect, test } from "vitest";

import { ENGINES } from "../support/databases.ts";
import { withStore } from "../support/stores.ts";

const MINUTE = 60_000;

describe.each(ENGINES)("servers on %s", (engine) => {
  const given = withStore(engine);

  test("a server is live from its announcement to its withdrawal", async () => {
    const { servers } = given.store;
    await servers.announce("two", "http://two:1");
    await servers.announce("one", "http://one:1");
    expect(await servers.live(MINUTE)).toEqual(["http://one:1", "http://two:1"]);
    await servers.withdraw("one");
    expect(await servers.live(MINUTE)).toEqual(["http://two:1"]);
  });

  test("a server that says nothing for too long is not live", async () => {
    const { servers } = given.store;
    await servers.announce("one", "http://one:1");
    expect(await servers.live(0)).toEqual([]);
  });

  test("a server that comes back at another address is one server", async () => {
    const { servers } = given.store;
    await servers.announce("one", "http://one:1");
    await servers.announce("one", "http://one:2");
    expect(await servers.live(MINUTE)).toEqual(["http://one:2"]);
  });

  test("of two servers that bring a secret, both go on with the same", async () => {
    const other = await given.another();
    const kept = await Promise.all([
      given.store.secrets.keep("tokens", "a".repeat(43)),
      other.secrets.keep("tokens", "b".repeat(43)),
    ]);
    expect(new Set(kept).size).toBe(1);
    expect(await given.store.secrets.keep("tokens", "c")).toBe(kept[0]);
    expect(await given.store.secrets.keep("other", "d")).toBe("d");
  });
});

import { describe, expect, it } from "vitest";

import { createJobTokenKeys } from "../../src/identity/job-token-keys.ts";
import { systemRandom } from "../../src/runtime/random.ts";
import { ENGINES } from "../support/databases.ts";
import { withStore } from "../support/stores.ts";

const DAY_MS = 86_400_000;
const DAY = 20_412;
const NOON = DAY * DAY_MS + DAY_MS / 2;

describe.each(ENGINES)("the keys of jobs' tokens on %s", (engine) => {
  const given = withStore(engine);
  const aServer = () => createJobTokenKeys(given.store.secrets, systemRandom);

  it("are the same for servers that start at once, and after a restart", async () => {
    const [one, other] = [aServer(), aServer()];
    await Promise.all([one.turnTo(NOON), other.turnTo(NOON)]);
    expect(one.current()).toEqual(other.current());
    const again = aServer();
    await again.turnTo(NOON);
    expect(again.current()).toEqual(one.current());
  });

  it("change with the day; a token of the last moment is good for the 24 h of its attempt", async () => {
    const keys = aServer();
    await keys.turnTo((DAY + 1) * DAY_MS - 1);
    const made = keys.current();
    expect(made.epoch).toBe(DAY);
    for (const later of [(DAY + 1) * DAY_MS, (DAY + 2) * DAY_MS - 1, (DAY + 2) * DAY_MS]) {
      await keys.turnTo(later);
      expect(keys.current()).not.toEqual(made);
      expect(keys.of(made.epoch)).toEqual(made);
    }
    await keys.turnTo((DAY + 3) * DAY_MS);
    expect(keys.of(made.epoch)).toBeNull();
  });

  it("of tomorrow are known today: another server may begin the day first", async () => {
    const [early, late] = [aServer(), aServer()];
    await late.turnTo(NOON);
    await early.turnTo(NOON + DAY_MS);
    expect(late.of(DAY + 1)).toEqual(early.current());
    expect(late.of(DAY + 2)).toBeNull();
  });

  it("that are over are removed from the database, and no other secret is", async () => {
    await given.store.secrets.keep("token-seal", "other");
    await aServer().turnTo(NOON);
    await aServer().turnTo(NOON + 3 * DAY_MS);
    expect(await given.store.secrets.names("")).toEqual([
      ...[DAY + 1, DAY + 2, DAY + 3, DAY + 4].map((day) => `job-token-${day}`),
      "token-seal",
    ]);
  });

  it("cannot be asked for before they were fetched", () => {
    expect(() => aServer().current()).toThrow(/not fetched/);
  });
});

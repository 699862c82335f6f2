import { describe, expect, it } from "vitest";

import { createReadiness } from "../../src/api/readiness.ts";
import { silentLog } from "../../src/runtime/log.ts";
import { createManualClock } from "../support/manual-clock.ts";

const aReadiness = (ping: () => Promise<void>) => {
  const clock = createManualClock();
  return { clock, readiness: createReadiness({ ping, clock, log: silentLog }) };
};

describe("readiness", () => {
  it("follows the database, which is asked once a second at most", async () => {
    let [asked, down] = [0, false];
    const { clock, readiness } = aReadiness(async () => {
      asked += 1;
      if (down) throw new Error("away");
      await Promise.resolve();
    });
    expect(await readiness.whyNot()).toBeNull();
    down = true;
    expect(await readiness.whyNot()).toBeNull();
    expect(asked).toBe(1);
    clock.advance(1_000);
    expect(await readiness.whyNot()).toContain("cannot be reached");
    down = false;
    clock.advance(1_000);
    expect(await readiness.whyNot()).toBeNull();
  });

  it("does not wait for a database that says nothing", async () => {
    const { clock, readiness } = aReadiness(async () => await new Promise(() => {}));
    const answer = readiness.whyNot();
    await clock.waitedFor(2_000);
    clock.advance(2_000);
    expect(await answer).toContain("does not answer");
  });

  it("ends when the server drains, whatever the database says", async () => {
    const { readiness } = aReadiness(async () => await Promise.resolve());
    readiness.drain();
    expect(await readiness.whyNot()).toBe("shutting down");
  });
});

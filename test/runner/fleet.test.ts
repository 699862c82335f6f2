import { afterEach, beforeEach, describe, expect, it } from "vitest";

import type { Service } from "../../src/runtime/lifecycle.ts";
import { type RunnerServer, startRunnerServer } from "../support/runner-server.ts";
import { runnerFor } from "../support/runner-under-test.ts";

const capability = "handler:work";
const handlers = { work: { execute: () => 1 } };

describe("a runner and several servers", () => {
  let one: RunnerServer;
  let two: RunnerServer;
  let runner: Service | undefined;

  beforeEach(async () => {
    one = await startRunnerServer();
    two = await startRunnerServer();
  });

  afterEach(async () => {
    await runner?.stop();
    await Promise.all([one.close(), two.close()]);
  });

  const start = async (internalUrl?: string): Promise<void> => {
    runner = runnerFor(one, {
      handlers,
      slots: 10,
      ...(internalUrl === undefined ? {} : { internalUrl }),
    });
    await runner.start();
  };

  it("works for all of them, and divides its slots", async () => {
    one.serverUrls = two.serverUrls = [one.url(), two.url()];
    await start();
    await two.until(() => two.syncs.length > 0);
    const [first, second] = [one.assign({ capability }), two.assign({ capability })];
    expect((await one.ending(first)).ending.case).toBe("resultJson");
    expect((await two.ending(second)).ending.case).toBe("resultJson");
    expect(two.syncs.at(-1)?.slots).toBe(5);
  });

  it("learns the name by which a server knows itself, and asks it once at a time", async () => {
    const byName = one.url().replace("127.0.0.1", "localhost");
    one.serverUrls = [one.url()];
    await start(`${byName}/`);
    const ref = one.assign({ capability });
    expect((await one.ending(ref)).ending.case).toBe("resultJson");
    const calls = one.syncs.length;
    const next = one.assign({ capability });
    await one.ending(next);
    // In the call that was under way: nobody else asks.
    expect(one.syncs.length).toBe(calls);
  });

  it(
    "reports to the others while one does not answer its reports",
    { timeout: 5_000 },
    async () => {
      one.serverUrls = two.serverUrls = [one.url(), two.url()];
      await start();
      await two.until(() => two.syncs.length > 0);
      const silence = Promise.withResolvers<void>();
      let heard = (): void => {};
      one.beforeAnswer = async () => {
        heard();
        await silence.promise;
      };
      try {
        // As many as there are calls at once.
        for (let call = 0; call < 2; call++) {
          await new Promise<void>((resolve) => {
            heard = resolve;
            one.assign({ capability });
          });
        }
        const ref = two.assign({ capability });
        expect((await two.ending(ref)).ending.case).toBe("resultJson");
      } finally {
        silence.resolve();
      }
    },
  );

  it("stays with the server that it has while the others cannot be reached", async () => {
    one.serverUrls = ["http://127.0.0.1:1"];
    await start();
    const ref = one.assign({ capability });
    expect((await one.ending(ref)).ending.case).toBe("resultJson");
  });

  it("lets go of a server that is gone, and begins again where it began when all are", async () => {
    one.serverUrls = [one.url(), two.url()];
    two.serverUrls = [two.url()];
    await start();
    await two.until(() => two.syncs.length > 0);
    await one.away();
    expect((await two.ending(two.assign({ capability }))).ending.case).toBe("resultJson");
    await two.away();
    await one.back();
    one.serverUrls = [one.url()];
    expect((await one.ending(one.assign({ capability }))).ending.case).toBe("resultJson");
  });
});

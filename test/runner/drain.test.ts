import { afterEach, beforeEach, describe, expect, it } from "vitest";

import { type RunnerServer, startRunnerServer } from "../support/runner-server.ts";
import { gate, runnerFor } from "../support/runner-under-test.ts";

const capability = "handler:work";

describe("a runner that is told to stop", () => {
  let server: RunnerServer;

  beforeEach(async () => {
    server = await startRunnerServer();
  });

  afterEach(async () => {
    await server.close();
  });

  it("takes no more work, finishes what runs and reports it", async () => {
    const running = gate();
    const finish = gate();
    const runner = runnerFor(server, {
      handlers: {
        work: {
          execute: async () => {
            running.open();
            await finish.opened;
            return "done";
          },
        },
      },
    });
    await runner.start();
    const ref = server.assign({ capability });
    await running.opened;
    const stopped = runner.stop();
    await server.until(() => server.syncs.at(-1)?.slots === 0);
    const late = server.assign({ capability });
    finish.open();
    expect((await server.ending(ref)).ending).toEqual({ case: "resultJson", value: '"done"' });
    await stopped;
    expect(server.applied(late)).toEqual([]);
  });

  it("gives up what does not end in time, and says that it holds nothing any more", async () => {
    const running = gate();
    const told = gate();
    const runner = runnerFor(server, {
      drainMs: 50,
      handlers: {
        work: {
          execute: async (_, ctx) => {
            running.open();
            await new Promise((resolve) => ctx.signal.addEventListener("abort", resolve));
            told.open();
          },
        },
      },
    });
    await runner.start();
    const ref = server.assign({ capability });
    await running.opened;
    await runner.stop();
    await told.opened;
    expect(server.syncs.at(-1)).toMatchObject({ slots: 0, attempts: [] });
    expect(server.applied(ref)).toEqual([]);
  });

  it("may be told so twice, before the server ever answered, and while it is away", async () => {
    const runner = runnerFor(server, { drainMs: 50 });
    await runner.start();
    await server.away();
    await Promise.all([runner.stop(), runner.stop()]);
    const lonely = runnerFor(server);
    const starting = lonely.start();
    await Promise.all([expect(starting).rejects.toThrow("stopped before"), lonely.stop()]);
  });
});

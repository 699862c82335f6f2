import { afterEach, beforeEach, describe, expect, it } from "vitest";

import type { HandlerContext, Json } from "../../runner/handler.ts";
import type { Service } from "../../src/runtime/lifecycle.ts";
import { ScriptLanguage } from "../../src/gen/millrace/v1/job_pb.ts";
import { type RunnerServer, startRunnerServer } from "../support/runner-server.ts";
import { gate, runnerFor, type TestRunnerOptions } from "../support/runner-under-test.ts";

describe("a runner", () => {
  let server: RunnerServer;
  let runner: Service | undefined;

  beforeEach(async () => {
    server = await startRunnerServer();
  });

  afterEach(async () => {
    await runner?.stop();
    await server.close();
  });

  const start = async (options?: TestRunnerOptions): Promise<void> => {
    runner = runnerFor(server, options);
    await runner.start();
  };

  const capability = "handler:work";

  it("says who it is, what it can do and how many attempts it will hold", async () => {
    await start({ handlers: { work: { execute: () => 1 } }, slots: 7 });
    expect(server.syncs[0]).toMatchObject({
      runnerId: expect.stringMatching(/^[0-9a-f-]{36}$/) as string,
      displayName: "test",
      capabilities: [capability],
      slots: 7,
      immediate: false,
      attempts: [],
    });
  });

  it("does not start without the right token", async () => {
    runner = runnerFor(server, { token: "wrong" });
    await expect(runner.start()).rejects.toThrow("who are you?");
    runner = undefined;
  });

  it("tells nobody the token of a job that a handler was handed", async () => {
    const work = {
      execute: (_job: unknown, ctx: HandlerContext) => {
        ctx.output(`calling with ${ctx.jobToken}`);
        ctx.progress({ fraction: 0.5, message: ctx.jobToken });
        return { token: ctx.jobToken };
      },
    };
    await start({ handlers: { work } });
    const ref = server.assign({ capability, jobToken: "mrj_token-of-the-job" });
    const { ending } = await server.ending(ref);
    expect(ending).toEqual({ case: "resultJson", value: '{"token":"[redacted]"}' });
    const said = JSON.stringify(
      server.applied(ref).map(({ output, progress }) => [output, progress]),
    );
    expect(said).toContain("calling with [redacted]");
    expect(said).not.toContain("mrj_token");
  });

  it("runs a script from its hash to its result, and fetches the text once", async () => {
    server.putScript(
      "abc",
      "export default async (input, ctx) => { console.log('hi'); ctx.progress(0.5); return input.n }",
      ScriptLanguage.TYPESCRIPT,
    );
    await start({ scripts: true, slots: 2 });
    const refs = [1, 2, 3].map((n) =>
      server.assign({ scriptHash: "abc", inputJson: JSON.stringify({ n }) }),
    );
    for (const [index, ref] of refs.entries()) {
      const ending = await server.ending(ref);
      expect(ending.ending).toEqual({ case: "resultJson", value: String(index + 1) });
      expect(ending.peakMemoryBytes).toBeGreaterThan(2n ** 20n);
      const updates = server.applied(ref);
      expect(updates.flatMap(({ output }) => output.map(({ text }) => text))).toEqual(["hi"]);
      expect(updates.some(({ progress }) => progress?.fraction === 0.5)).toBe(true);
    }
    expect(server.scriptCalls).toEqual(["acme/abc"]);
  });

  it("fails an attempt whose script is gone, for good", async () => {
    await start({ scripts: true, slots: 1 });
    const { ending } = await server.ending(server.assign({ scriptHash: "none" }));
    expect(ending).toMatchObject({
      case: "error",
      value: { code: "script.not_found", retryable: false },
    });
  });

  it("gives a handler its job and takes its result, its rows and its errors", async () => {
    await start({
      handlers: {
        work: {
          execute: async (job, ctx) => {
            ctx.output("a row");
            ctx.progress({ fraction: 0.5, step: 1, steps: 2 });
            if (job.input === "fail") throw Object.assign(new Error("no"), { retryable: false });
            return { got: job.input as Json, id: job.id };
          },
        },
      },
    });
    const good = server.assign({ capability, inputJson: '{"a":1}' });
    const bad = server.assign({ capability, inputJson: '"fail"' });
    expect((await server.ending(good)).ending).toEqual({
      case: "resultJson",
      value: JSON.stringify({ got: { a: 1 }, id: good.jobId }),
    });
    expect((await server.ending(bad)).ending).toMatchObject({
      case: "error",
      value: { code: "handler.threw", message: "no", retryable: false },
    });
    expect(server.applied(good).flatMap(({ output }) => output)).toHaveLength(1);
  });

  it("ends a handler that is too slow, and tells it by its signal", async () => {
    const told = gate<boolean>();
    await start({
      handlers: {
        work: {
          execute: async (_, ctx) => {
            await new Promise((resolve) => ctx.signal.addEventListener("abort", resolve));
            told.open(ctx.signal.aborted);
            // Its answer would win, if it came before the end of its time.
            await new Promise(() => {});
          },
        },
      },
    });
    const attemptTimeout = { seconds: 0n, nanos: 50_000_000 };
    const ref = server.assign({ capability, attemptTimeout });
    expect((await server.ending(ref)).ending).toMatchObject({
      case: "error",
      value: { code: "timeout.wall", retryable: true },
    });
    expect(await told.opened).toBe(true);
  });

  it("stops what is cancelled and says so, whatever the work answers", async () => {
    const running = gate();
    await start({
      handlers: {
        work: {
          execute: async (_, ctx) => {
            running.open();
            await new Promise((resolve) => ctx.signal.addEventListener("abort", resolve));
            return "a result";
          },
        },
      },
    });
    const ref = server.assign({ capability });
    await running.opened;
    server.cancel(ref);
    expect((await server.ending(ref)).ending.case).toBe("cancelled");
  });

  it("hears of a cancellation with the answer to a report, too", async () => {
    await start({
      handlers: {
        work: {
          execute: async (_, ctx) => {
            server.refuse = ({ ending }) =>
              ending === undefined ? { cancelRequested: true } : undefined;
            ctx.output("a row that the server answers");
            await new Promise((resolve) => ctx.signal.addEventListener("abort", resolve));
          },
        },
      },
    });
    const ref = server.assign({ capability });
    expect((await server.ending(ref)).ending.case).toBe("cancelled");
  });

  it("never takes an attempt twice", async () => {
    let runs = 0;
    const open = gate();
    await start({
      handlers: {
        work: {
          execute: async () => {
            runs += 1;
            await open.opened;
          },
        },
      },
    });
    const ref = server.assign({ capability });
    await server.untilHeld(1);
    server.assign({ capability, attempt: ref });
    const other = server.assign({ capability: "handler:nobody" });
    await server.ending(other);
    open.open();
    await server.ending(ref);
    expect(runs).toBe(1);
  });

  it("asks again as soon as a call ends, and names what it holds", async () => {
    const open = gate();
    await start({ handlers: { work: { execute: async () => await open.opened } } });
    const ref = server.assign({ capability });
    await server.untilHeld(1);
    expect(server.syncs.at(-1)?.attempts).toMatchObject([
      { leaseToken: ref.leaseToken, attempt: 1 },
    ]);
    open.open();
    await server.ending(ref);
  });

  it("hears of one assignment after the other in one call", async () => {
    await start({ handlers: { work: { execute: () => 1 } } });
    const calls = server.syncs.length;
    for (let count = 0; count < 10; count += 1) await server.ending(server.assign({ capability }));
    expect(server.syncs.length).toBe(calls);
  });
});

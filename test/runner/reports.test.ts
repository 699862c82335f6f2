import { Code, ConnectError } from "@connectrpc/connect";
import { afterEach, beforeEach, describe, expect, it } from "vitest";

import type { Handler } from "../../runner/handler.ts";
import type { Service } from "../../src/runtime/lifecycle.ts";
import { reasoned, type RunnerServer, startRunnerServer } from "../support/runner-server.ts";
import { gate, runnerFor, type TestRunnerOptions } from "../support/runner-under-test.ts";

const capability = "handler:work";
const quick: Handler = { execute: () => 1 };

/** What a handler's signal says when the attempt is not ours any more. */
const GONE = "the attempt is no longer this runner's";

describe("the reports of a runner", () => {
  let server: RunnerServer;
  let runner: Service | undefined;

  beforeEach(async () => {
    server = await startRunnerServer();
  });

  afterEach(async () => {
    await runner?.stop();
    await server.close();
  });

  const start = async (work: Handler, options: TestRunnerOptions = {}): Promise<void> => {
    runner = runnerFor(server, { handlers: { work }, ...options });
    await runner.start();
  };

  it("are counted from 1 and repeated unchanged when the answer is lost", async () => {
    let losses = 2;
    server.beforeAnswer = () => {
      losses -= 1;
      if (losses >= 0) throw new ConnectError("lost on the way", Code.Unavailable);
    };
    await start(quick);
    const ref = server.assign({ capability });
    await server.until(() => server.updateCalls.length === 3);
    const seen = server.updateCalls.map((updates) =>
      updates.map(({ seq, ending }) => [seq, ending]),
    );
    expect(seen[1]).toEqual(seen[0]);
    expect(seen[2]).toEqual(seen[0]);
    expect(server.applied(ref)).toHaveLength(1);
  });

  it.each([
    ["SHARD_UNAVAILABLE", Code.Unavailable],
    ["INTERNAL", Code.Internal],
  ])("are repeated as long as the server answers %s", async (reason, code) => {
    let refusals = 3;
    server.refuse = () => {
      refusals -= 1;
      return refusals >= 0 ? reasoned(reason, code) : undefined;
    };
    await start(quick);
    const ref = server.assign({ capability });
    expect((await server.ending(ref)).ending.case).toBe("resultJson");
  });

  it("keep an ending among the attempts held until it is acknowledged", async () => {
    server.refuse = () => reasoned("SHARD_UNAVAILABLE", Code.Unavailable);
    await start(quick);
    const ref = server.assign({ capability });
    await server.until(() => server.updateCalls.length >= 2);
    server.cancel({ ...ref, leaseToken: "another" });
    await server.untilHeld(1);
    expect(server.syncs.at(-1)?.attempts).toMatchObject([{ leaseToken: ref.leaseToken }]);
    server.refuse = () => undefined;
    await server.ending(ref);
    server.cancel({ ...ref, leaseToken: "another" });
    await server.untilHeld(0);
  });

  it("arrive after the server was away and came back", async () => {
    const running = gate();
    const finish = gate();
    await start({
      execute: async () => {
        running.open();
        await finish.opened;
        return "kept";
      },
    });
    const ref = server.assign({ capability });
    await running.opened;
    await server.away();
    finish.open();
    await server.back();
    expect((await server.ending(ref)).ending).toEqual({ case: "resultJson", value: '"kept"' });
    const next = server.assign({ capability });
    expect((await server.ending(next)).ending.case).toBe("resultJson");
  });

  it.each(["answered to a report", "said by a sync"])(
    "end without a word when the lease is lost: %s",
    async (how) => {
      const stopped = gate<unknown>();
      const running = gate();
      await start({
        execute: async (_, ctx) => {
          running.open();
          if (how === "answered to a report") ctx.output("a row");
          await new Promise((resolve) => ctx.signal.addEventListener("abort", resolve));
          stopped.open(ctx.signal.reason);
        },
      });
      server.refuse = () => reasoned("LEASE_LOST", Code.Aborted);
      const ref = server.assign({ capability });
      await running.opened;
      if (how === "said by a sync") server.lose(ref);
      expect(await stopped.opened).toMatchObject({ name: "AbortError", message: GONE });
      server.lose(ref);
      await server.untilHeld(0);
      expect(server.updateCalls.flat().some(({ ending }) => ending !== undefined)).toBe(false);
    },
  );

  it("that a server refuses end the attempt as failed, with the cause", async () => {
    const stopped = gate<unknown>();
    await start({
      execute: async (_, ctx) => {
        ctx.output("too much");
        await new Promise((resolve) => ctx.signal.addEventListener("abort", resolve));
        stopped.open(ctx.signal.reason);
      },
    });
    server.refuse = ({ ending }) =>
      ending === undefined ? reasoned("INVALID_ARGUMENT", Code.InvalidArgument) : undefined;
    const ref = server.assign({ capability });
    const { ending } = await server.ending(ref);
    expect(ending).toMatchObject({
      case: "error",
      value: { code: "report.refused", message: expect.stringContaining("INVALID_ARGUMENT") },
    });
    expect(await stopped.opened).toMatchObject({ name: "AbortError", message: GONE });
    server.lose(ref);
    await server.untilHeld(0);
  });

  it("are given up when the server does not even take that they were refused", async () => {
    await start(quick);
    server.refuse = () => reasoned("INVALID_ARGUMENT", Code.InvalidArgument);
    const ref = server.assign({ capability });
    await server.until(() => server.updateCalls.length === 2);
    server.lose({ ...ref, leaseToken: "another" });
    await server.untilHeld(0);
    expect(server.updateCalls).toHaveLength(2);
  });

  it.each([
    [
      "a circle",
      () => {
        const ring: { self?: unknown } = {};
        ring.self = ring;
        return ring;
      },
    ],
    ["what is nested too deep", () => JSON.parse("[".repeat(31) + "]".repeat(31)) as unknown],
  ])("say that a handler's result cannot be stored: %s", async (_, execute) => {
    // What the types forbid happens all the same.
    await start({ execute: execute as Handler["execute"] });
    const ref = server.assign({ capability });
    expect((await server.ending(ref)).ending).toMatchObject({
      case: "error",
      value: { code: "result.not_serialisable", retryable: false },
    });
  });

  it("carry many endings in one call", async () => {
    await start(quick, { slots: 200 });
    const refs = Array.from({ length: 1_000 }, () => server.assign({ capability }));
    await Promise.all(refs.map(async (ref) => await server.ending(ref)));
    expect(server.updateCalls.length).toBeLessThan(100);
    expect(Math.max(...server.updateCalls.map((updates) => updates.length))).toBeGreaterThan(50);
  });

  it("are divided when a server finds them too large", async () => {
    const most = 10;
    let refused = 0;
    server.beforeAnswer = () => {
      if ((server.updateCalls.at(-1)?.length ?? 0) <= most) return;
      refused += 1;
      throw new ConnectError("too large", Code.ResourceExhausted);
    };
    await start(quick, { slots: 100 });
    const refs = Array.from({ length: 100 }, () => server.assign({ capability }));
    await Promise.all(refs.map(async (ref) => await server.ending(ref)));
    expect(refused).toBeGreaterThan(0);
  });

  it("hold 2,000 rows and 256 KiB at most, then one that says so", async () => {
    await start({
      execute: (_, ctx) => {
        for (let i = 0; i < 3_000; i++) ctx.output(`row ${i}`);
      },
    });
    const ref = server.assign({ capability });
    await server.ending(ref);
    const rows = server.applied(ref).flatMap(({ output }) => output.map(({ text }) => text));
    expect(rows).toHaveLength(2_001);
    expect(rows[1_999]).toBe("row 1999");
    expect(rows.at(-1)).toMatch(/limit reached/);
    expect(server.applied(ref).every(({ output }) => output.length <= 1_000)).toBe(true);
  });
});

import { tmpdir } from "node:os";

import { afterEach, describe, expect, it } from "vitest";

import { AttemptStopped, type Ending, silentReport } from "../../runner/executor.ts";
import { type ChildProcessEnd, spawnChild } from "../../runner/sandbox/child-process.ts";
import { DEFAULT_LIMITS } from "../../runner/sandbox/limits.ts";
import { createUsageReader } from "../../runner/sandbox/proc.ts";
import { runInChild } from "../../runner/sandbox/run.ts";
import { createWatch } from "../../runner/sandbox/watch.ts";
import { systemClock } from "../../src/runtime/clock.ts";

/** A child that a script has taken over: a real process that says what it likes. */
const PROGRAM = `
  const frames = new (require("node:net").Socket)({ fd: 3, readable: false });
  const say = (text) => {
    const body = Buffer.from(typeof text === "string" ? text : JSON.stringify(text));
    const head = Buffer.alloc(4);
    head.writeUInt32BE(body.length);
    frames.write(Buffer.concat([head, body]));
  };
  const done = { op: "succeeded", id: 7, result: "1", cpuUs: 1000 };
  process.stdin.once("data", () => { BEHAVIOUR });
  process.stdin.resume();
`;

/** What it may ask for. */
const BIG = "x".repeat(1024 * 1024);

describe("a child that is not ours any more", () => {
  let child: ChildProcessEnd | undefined;

  afterEach(async () => {
    child?.kill();
    await child?.exited;
  });

  const run = async (
    behaviour: string,
    signal = new AbortController().signal,
    timeoutMs = 20_000,
  ) => {
    const output: string[] = [];
    const odd: string[] = [];
    const usable: boolean[] = [];
    const program = PROGRAM.replace("BEHAVIOUR", () => behaviour);
    child = spawnChild({ file: process.execPath, args: ["-e", program] }, tmpdir());
    let left = (): void => {};
    const hasLeft = new Promise<void>((resolve) => {
      left = resolve;
    });
    const ending: Ending = await runInChild(
      child,
      7,
      {
        organizationId: "acme",
        jobId: "job-1",
        attempt: 1,
        scriptHash: "",
        code: "",
        fileName: "script.js",
        input: "null",
        timeoutMs,
        calls: new Map([["big", async () => await Promise.resolve(BIG)]]),
        secrets: {},
      },
      {
        ...silentReport,
        output: (_, text) => {
          output.push(text);
        },
      },
      signal,
      {
        clock: systemClock,
        watch: createWatch(systemClock, createUsageReader(), 10),
        limits: { ...DEFAULT_LIMITS, graceMs: 100 },
        reuse: true,
        odd: ({ why }) => {
          odd.push(why);
        },
        failedCall: () => {},
      },
      (fit) => {
        usable.push(fit);
        left();
      },
    );
    await hasLeft;
    return { ending, output, odd, usable };
  };

  const crashed = { kind: "failed", error: { code: "runner.crashed", retryable: true } };

  it.each([
    ["announces a frame of 4 GB", "frames.write(Buffer.from([255, 255, 255, 255]))"],
    ["sends what is no JSON", "say('{')"],
    ["sends an unknown message", "say({ op: 'root', id: 7 })"],
    ["sends a field too many", "say({ ...done, admin: true })"],
    ["offers a code cache for others", "say({ op: 'cache', codeCache: 'AAAA' })"],
    ["speaks for another attempt", "say({ ...done, id: 8 })"],
    [
      "sends progress that goes beyond",
      "say({ op: 'progress', id: 7, fraction: 1e9, message: '', step: 0, steps: 0 })",
    ],
    ["says it is ready before the end", "say({ op: 'ready' })"],
    ["exits without a word", "process.exit(0)"],
    ["sends a million empty frames", "frames.write(Buffer.alloc(4e6))"],
    ["calls what is no name", "say({ op: 'call', id: 7, call: 1, name: '../x', payload: '1' })"],
    ["calls with the number 0", "say({ op: 'call', id: 7, call: 0, name: 'big', payload: '1' })"],
    [
      "calls ten thousand times at once",
      "for (let i = 1; i < 1e4; i++) say({ op: 'call', id: 7, call: i, name: 'no', payload: '1' })",
    ],
    [
      "asks for answers that it does not read",
      "process.stdin.pause(); for (let i = 1; i < 400; i++) say({ op: 'call', id: 7, call: i, name: 'big', payload: '1' })",
    ],
    [
      "calls with more than any call holds",
      "say({ op: 'call', id: 7, call: 1, name: 'no', payload: 'x'.repeat(2e6) })",
    ],
    [
      "calls with more than all calls hold together",
      "for (let i = 1; i < 100; i++) say({ op: 'call', id: 7, call: i, name: 'no', payload: 'x'.repeat(15e5) })",
    ],
    [
      "pads what it says with spaces",
      "const step = JSON.stringify({ op: 'progress', id: 7, fraction: 0, message: '', step: 0, steps: 0 });" +
        " const body = Buffer.from(step.padEnd(4e6)); const head = Buffer.alloc(4); head.writeUInt32BE(4e6);" +
        " const frame = Buffer.concat([head, body]);" +
        " const more = () => frames.write(frame, more); more()",
    ],
    ["has more last words than a child has", "process.stderr.write('x'.repeat(2e6))"],
    [
      "sends a row that is longer than any",
      "say({ op: 'output', id: 7, stream: 'LOG', text: 'x'.repeat(8193) })",
    ],
    [
      "sends a row more than a script can",
      "for (let i = 0; i < 2002; i++) say({ op: 'output', id: 7, stream: 'LOG', text: 'x' })",
    ],
    [
      "sends a hundred thousand rows",
      "for (let i = 0; i < 1e5; i++) say({ op: 'output', id: 7, stream: 'LOG', text: 'x' })",
    ],
  ])("is killed, and the attempt fails once, when it %s", async (_, behaviour) => {
    const { ending, odd, usable } = await run(behaviour);
    expect(ending).toMatchObject(crashed);
    // Nothing of what it said is told to anybody but our log.
    expect(JSON.stringify(ending)).toMatch(/can say, and was ended|did \(exit code 0\)/);
    expect(usable).toEqual([false]);
    expect(odd).toHaveLength(1);
    await child?.exited;
  });

  it.each([
    ["half a frame", "frames.write(Buffer.from([0, 0, 0, 100, 123]))"],
    ["that it stops itself", "process.kill(process.pid, 'SIGSTOP')"],
    [
      "calls of what is not there, and payloads that are no JSON",
      "say({ op: 'call', id: 7, call: 1, name: 'no', payload: '{' }); say({ op: 'call', id: 7, call: 1, name: 'big', payload: '{' })",
    ],
  ])("is ended by the clock when all that comes is %s", async (_, behaviour) => {
    const { ending, usable } = await run(behaviour, undefined, 300);
    expect(ending).toMatchObject({ kind: "failed", error: { code: "timeout.wall" } });
    expect(usable).toEqual([false]);
  });

  it("keeps its first result and dies for a call after it", async () => {
    const { ending, usable } = await run(
      "say(done); say({ op: 'call', id: 7, call: 1, name: 'big', payload: '1' })",
    );
    expect(ending).toMatchObject({ kind: "succeeded", result: "1" });
    expect(usable).toEqual([false]);
  });

  it("keeps its first result and dies for the second", async () => {
    const { ending, usable } = await run("say(done); say({ ...done, result: '2' })");
    expect(ending).toMatchObject({ kind: "succeeded", result: "1" });
    expect(usable).toEqual([false]);
  });

  it("cannot report rows after its end", async () => {
    const { output, usable } = await run(
      "say(done); say({ op: 'output', id: 7, stream: 'LOG', text: 'late' })",
    );
    expect(output).toEqual([]);
    expect(usable).toEqual([false]);
  });

  it.each([
    ["larger than allowed", "'\"' + 'x'.repeat(1100000) + '\"'", "result.too_large"],
    ["no JSON", "'{'", "result.not_serialisable"],
    ["nested too deep", "'['.repeat(31) + ']'.repeat(31)", "result.not_serialisable"],
  ])("gets no result through that is %s", async (_, result, code) => {
    const { ending } = await run(`say({ ...done, result: ${result} }); say({ op: "ready" })`);
    expect(ending).toMatchObject({ kind: "failed", error: { code } });
  });

  it("may be used again once it is ready after its end", async () => {
    const { ending, usable } = await run("say(done); say({ op: 'ready' })");
    expect(ending).toMatchObject({ kind: "succeeded" });
    expect(usable).toEqual([true]);
  });

  it("is killed when it does not come to rest after its end", async () => {
    const { ending, usable, odd } = await run("say(done); for (;;);");
    expect(ending).toMatchObject({ kind: "succeeded" });
    expect(usable).toEqual([false]);
    expect(odd[0]).toMatch(/did not come to rest/);
  });

  it("cannot turn a cancellation into a success", async () => {
    const stopping = new AbortController();
    stopping.abort(new AttemptStopped("cancelled"));
    const { ending } = await run("say(done); say({ op: 'ready' })", stopping.signal);
    expect(ending).toMatchObject({ kind: "cancelled" });
  });

  it("cannot make us believe in CPU time that the kernel did not count", async () => {
    const { ending } = await run("say({ ...done, cpuUs: 9e9 }); say({ op: 'ready' })");
    expect(ending.cpuMs).toBeLessThan(1_000);
  });
});

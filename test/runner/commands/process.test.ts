import { tmpdir } from "node:os";

import { describe, expect, it } from "vitest";

import { type ProcessOptions, type Running, runProcess } from "../../../runner/commands/process.ts";
import { systemClock } from "../../../src/runtime/clock.ts";

const KILL_AFTER_MS = 7_000;

type Parts = Pick<ProcessOptions, "output"> & {
  readonly after: ProcessOptions["clock"]["after"];
  readonly free: () => void;
};

const start = (script: string, { after, free, output }: Parts): Running =>
  runProcess(
    {
      line: ["/bin/sh", "-c", script],
      directory: tmpdir(),
      environment: { PATH: "/usr/bin:/bin" },
      descriptors: [],
      input: null,
    },
    {
      clock: { ...systemClock, after },
      keeper: { hold: () => {}, free },
      output,
      account: null,
      umask: 0o77,
      killAfterMs: KILL_AFTER_MS,
    },
  );

describe.runIf(process.platform === "linux")("the group of a command", () => {
  it("is not signalled once it is gone, however late somebody wants its end", async () => {
    const waits: number[] = [];
    let freed = false;
    let escaped = 0;
    const running = start("setsid sleep 1000 & echo $!", {
      after: (ms, run) => {
        waits.push(ms);
        // What is still waited for then has left the group, and holds the output open.
        if (freed) running.stop();
        return systemClock.after(Math.min(ms, 20), run);
      },
      free: () => {
        freed = true;
      },
      output: {
        push: (_, chunk) => {
          escaped = Number(Buffer.from(chunk).toString());
          return 1;
        },
      },
    });
    const { exit, left } = await running.ended;
    process.kill(escaped, "SIGKILL");
    expect({ exit, left, freed }).toEqual({
      exit: { kind: "code", code: 0 },
      left: false,
      freed: true,
    });
    expect(waits).not.toContain(KILL_AFTER_MS);
  });

  it("is not waited for when it outlives its SIGKILL", async () => {
    const freed = Promise.withResolvers<void>();
    const running = start(`trap "" TERM; echo on; while :; do sleep 1000; done`, {
      // The time after the SIGKILL is over before its death can be heard.
      after: (ms, run) => {
        if (ms < 5_000) return systemClock.after(ms, run);
        queueMicrotask(run);
        return () => {};
      },
      free: freed.resolve,
      output: {
        push: () => {
          running.stop();
          return 1;
        },
      },
    });
    expect(await running.ended).toMatchObject({ left: true, exit: { signal: "SIGKILL" } });
    await freed.promise;
  });
});

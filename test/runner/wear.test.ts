import { tmpdir } from "node:os";

import { afterEach, describe, expect, it, vi } from "vitest";

import { spawnChild } from "../../runner/sandbox/child-process.ts";
import { createPool, type Pool, START_WITHIN_MS } from "../../runner/sandbox/pool.ts";
import { createUsageReader } from "../../runner/sandbox/proc.ts";
import { createWearRecords } from "../../runner/sandbox/wear-record.ts";
import { ageLimitOf, type WearLimits, wornBy } from "../../runner/sandbox/wear.ts";
import { silentLog } from "../../src/runtime/log.ts";
import { eventually } from "../support/eventually.ts";
import { createManualClock } from "../support/manual-clock.ts";

const LIMITS: WearLimits = { attempts: 100, ageMs: 1_000, growthBytes: 50, cleanUpMs: 20 };
const NEW = { attempts: 1, ageMs: 0, growthBytes: 0, cleanUpMs: 0 };

describe("a sandbox child is worn", () => {
  it.each([
    ["attempts", 99, 100],
    ["ageMs", 999, 1_000],
    ["growthBytes", 50, 51],
    ["cleanUpMs", 20, 21],
  ] as const)("by its %s: not at %d, but at %d", (sign, fine, worn) => {
    expect(wornBy({ ...NEW, [sign]: fine }, LIMITS)).toBeNull();
    expect(wornBy({ ...NEW, [sign]: worn }, LIMITS)).toBe(sign);
  });

  it("by age at another time than those that started with it, and never later than the limit", () => {
    const limits = Array.from({ length: 5 }, (_, number) => ageLimitOf(number, LIMITS));
    expect(new Set(limits).size).toBe(5);
    expect(Math.max(...limits)).toBe(1_000);
    expect(Math.min(...limits)).toBe(800);
  });

  it("by memory that grew over what it was after the first attempt", () => {
    let rssBytes = 500;
    const worn: string[] = [];
    const record = createWearRecords(
      createManualClock(),
      () => ({ cpuMs: 0, rssBytes }),
      LIMITS,
      (by) => worn.push(by),
    )(1);
    expect(record.isWorn(1, 0)).toBe(false);
    rssBytes = 551;
    // It is not read after every attempt.
    expect(record.isWorn(2, 0)).toBe(false);
    expect(record.isWorn(17, 0)).toBe(true);
    rssBytes = 550;
    expect(record.isWorn(33, 0)).toBe(false);
  });
});

/** A real process that is ready at once, and does nothing. */
const FRAMES = 'const frames = new (require("node:net").Socket)({ fd: 3, readable: false });';
const PROGRAM = `
  ${FRAMES}
  const body = Buffer.from('{"op":"ready"}');
  const head = Buffer.alloc(4);
  head.writeUInt32BE(body.length);
  frames.write(Buffer.concat([head, body]));
  process.stdin.resume();
`;

const OUT_OF_FILES = "";

describe("the pool", () => {
  const clock = createManualClock();
  let pool: Pool;

  const pids = (state: string): number[] =>
    pool
      .members()
      .filter((member) => member.state === state)
      .map(({ pid }) => pid);

  /** If the first child hangs, its time must be over; then the pause after a failed start. */
  const startLate = async (): Promise<void> => {
    const [hung] = pids("starting");
    if (hung !== undefined) {
      clock.advance(START_WITHIN_MS);
      await eventually(() => expect(pids("starting")).not.toContain(hung));
    }
    clock.advance(1_000);
  };

  const start = async (spares: number, programs: string[] = []): Promise<void> => {
    pool = createPool({
      clock,
      log: silentLog,
      spawn: () => {
        const program = programs.shift() ?? PROGRAM;
        if (program === OUT_OF_FILES) throw new Error("spawn EMFILE");
        return spawnChild({ file: process.execPath, args: ["-e", program] }, tmpdir());
      },
      isolation: "tenant",
      slots: 2,
      resting: () => 0,
      spares,
      wear: LIMITS,
      readUsage: createUsageReader(),
      worn: () => {},
    });
    const started = pool.start();
    if (programs.length > 0) await startLate();
    await started;
    await eventually(() => expect(pids("idle")).toHaveLength(Math.max(1, spares)));
  };

  afterEach(async () => {
    await pool.stop();
  });

  it("replaces idle children that have grown old, one at a time", async () => {
    await start(2);
    const old = pids("idle");
    clock.advance(800);
    expect(pids("idle").length).toBeGreaterThanOrEqual(1);
    await eventually(() => expect(pids("idle")).toHaveLength(2));
    expect(pids("idle").filter((pid) => old.includes(pid)).length).toBeGreaterThanOrEqual(1);
    for (let i = 0; i < 4; i++) {
      clock.advance(50);
      await eventually(() => expect(pids("idle")).toHaveLength(2));
    }
    expect(pids("idle").filter((pid) => old.includes(pid))).toEqual([]);
  });

  it("waits and tries again when the system has nothing left to start a child with", async () => {
    await start(0, [OUT_OF_FILES, PROGRAM]);
    expect(pids("idle")).toHaveLength(1);
  });

  it("ends an idle child that speaks, and tells its first word only", async () => {
    const told = vi.spyOn(silentLog, "error");
    const [head, body] = ["[0, 0, 0, 14]", '\'{"op":"ready"}\''];
    const ready = `Buffer.concat([Buffer.from(${head}), Buffer.from(${body})])`;
    const flood = `const ready = ${ready};
      frames.write(Buffer.concat(Array(1_000).fill(ready)));`;
    await start(0, [`${FRAMES} ${flood} process.stdin.resume();`, PROGRAM]);
    expect(told).toHaveBeenCalledTimes(1);
    told.mockRestore();
  });

  it("gives up a child that hangs while it starts, and starts another", async () => {
    await start(0, ["setInterval(() => {}, 1e6)", PROGRAM]);
    expect(pids("idle")).toHaveLength(1);
  });

  it("does not lend a child again that was slow to tidy up, and lends a quick one", async () => {
    await start(1);
    const signal = new AbortController().signal;
    const first = await pool.take("acme", signal);
    pool.give(first, true, 20);
    const again = await pool.take("acme", signal);
    expect(again).toBe(first);
    pool.give(again, true, 21);
    const other = await pool.take("acme", signal);
    expect(other).not.toBe(first);
    await first.exited;
  });
});

/**
 * How many attempts of a trivial script two warm sandbox children do in a second, and how long one
 * takes when nothing else runs. `node --no-node-snapshot bench/sandbox.ts [attempts]`
 */
import { silentReport } from "../runner/executor.ts";
import { DEFAULT_LIMITS } from "../runner/sandbox/limits.ts";
import { createUsageReader } from "../runner/sandbox/proc.ts";
import { percentile } from "./figures.ts";
import { measureIsolates } from "./isolate.ts";
import { silentObserver } from "../runner/observer.ts";
import { createSupervisor, type Supervisor } from "../runner/supervisor.ts";
import { systemClock } from "../src/runtime/clock.ts";
import { silentLog } from "../src/runtime/log.ts";

const CHILDREN = 2;
const WARM_UP = 200;

const never = new AbortController().signal;

const once = async (supervisor: Supervisor): Promise<number> => {
  const started = systemClock.monotonic();
  const ending = await supervisor.run(
    {
      organizationId: "bench",
      jobId: "bench",
      attempt: 1,
      scriptHash: "",
      code: "export default async (input) => input.a + input.b;",
      fileName: "script.js",
      input: '{"a":1,"b":2}',
      timeoutMs: 10_000,
      calls: new Map(),
      secrets: {},
    },
    silentReport,
    never,
  );
  if (ending.kind !== "succeeded") throw new Error(`an attempt ${ending.kind}`);
  return systemClock.monotonic() - started;
};

const lane = async (supervisor: Supervisor, count: number): Promise<void> => {
  for (let i = 0; i < count; i++) await once(supervisor);
};

/** `count` attempts on all children at once; attempts per second. */
const rateOf = async (supervisor: Supervisor, count: number): Promise<number> => {
  const started = systemClock.monotonic();
  await Promise.all(
    Array.from({ length: CHILDREN }, async () => {
      await lane(supervisor, count / CHILDREN);
    }),
  );
  return (count / (systemClock.monotonic() - started)) * 1_000;
};

export type ChildrenFigures = {
  /** Attempts a second of two warm children. */
  readonly rate: number;
  /** How long one attempt takes when nothing else runs. */
  readonly idle: string;
  /** Milliseconds of an attempt in one child, one after the other without a pause. */
  readonly inTurn: number;
};

/** Two sandbox children and their supervisor, without a server. */
export const measureChildren = async (attempts: number): Promise<ChildrenFigures> => {
  const supervisor = createSupervisor({
    clock: systemClock,
    log: silentLog,
    limits: { ...DEFAULT_LIMITS, recycleAfter: Infinity },
    isolation: "tenant",
    slots: CHILDREN,
    spares: 0,
    canary: false,
    readUsage: createUsageReader(),
    observer: silentObserver,
  });
  await supervisor.start();
  try {
    await rateOf(supervisor, WARM_UP);
    const rate = await rateOf(supervisor, attempts);
    const begun = systemClock.monotonic();
    await lane(supervisor, attempts / 4);
    const inTurn = (systemClock.monotonic() - begun) / (attempts / 4);
    const alone: number[] = [];
    for (let i = 0; i < 500; i++) {
      alone.push(await once(supervisor));
      // Long enough for the next isolate to be ready, as on a system that is not busy.
      await new Promise((resolve) => systemClock.after(5, () => resolve(undefined)));
    }
    const [p50, p99] = [percentile(alone, 0.5), percentile(alone, 0.99)];
    return { rate, inTurn, idle: `p50 ${p50.toFixed(2)} ms, p99 ${p99.toFixed(2)} ms` };
  } finally {
    await supervisor.stop();
  }
};

if (import.meta.main) {
  const { rate, idle, inTurn } = await measureChildren(Number(process.argv[2] ?? 3_000));
  const bare = await measureIsolates(500);
  console.log(`sandboxed attempts, ${CHILDREN} warm children: ${rate.toFixed(0)}/s`);
  console.log(`one attempt on an idle system: ${idle}`);
  console.log(`attempts in turn, one child: ${inTurn.toFixed(2)} ms each`);
  console.log(`a bare isolate for each, in this process: ${bare.toFixed(2)} ms`);
}

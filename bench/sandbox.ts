/**
 * How many attempts of a trivial script two warm sandbox children do in a second, and how long one
 * takes when nothing else runs. `node bench/sandbox.ts [attempts]`
 */
import { silentReport } from "../runner/executor.ts";
import { DEFAULT_LIMITS } from "../runner/sandbox/limits.ts";
import { createSupervisor, type Supervisor } from "../runner/supervisor.ts";
import { systemClock } from "../src/runtime/clock.ts";
import { silentLog } from "../src/runtime/log.ts";

const CHILDREN = 2;
const WARM_UP = 200;
const attempts = Number(process.argv[2] ?? 3_000);

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
const rate = async (supervisor: Supervisor, count: number): Promise<number> => {
  const started = systemClock.monotonic();
  await Promise.all(
    Array.from({ length: CHILDREN }, async () => {
      await lane(supervisor, count / CHILDREN);
    }),
  );
  return (count / (systemClock.monotonic() - started)) * 1_000;
};

const quantile = (sorted: readonly number[], part: number): string =>
  (sorted[Math.floor(sorted.length * part)] ?? 0).toFixed(2);

const supervisor = createSupervisor({
  clock: systemClock,
  log: silentLog,
  limits: { ...DEFAULT_LIMITS, recycleAfter: Infinity },
  isolation: "tenant",
  slots: CHILDREN,
  spares: 0,
  canary: false,
});
await supervisor.start();
try {
  await rate(supervisor, WARM_UP);
  const perSecond = await rate(supervisor, attempts);
  const alone: number[] = [];
  for (let i = 0; i < 500; i++) {
    alone.push(await once(supervisor));
    // Long enough for the next isolate to be ready, as on a system that is not busy.
    await new Promise((resolve) => systemClock.after(5, () => resolve(undefined)));
  }
  const sorted = alone.toSorted((a, b) => a - b);
  console.log(`sandboxed attempts, ${CHILDREN} warm children: ${perSecond.toFixed(0)}/s`);
  console.log(
    `one attempt on an idle system: p50 ${quantile(sorted, 0.5)} ms, p99 ${quantile(sorted, 0.99)} ms`,
  );
} finally {
  await supervisor.stop();
}

import type { Clock } from "../src/runtime/clock.ts";
import type { Random } from "../src/runtime/random.ts";
import type { ServerConnection } from "./connection.ts";
import type { AttemptRef, Steps } from "./executor.ts";
import { persist } from "./persist.ts";
import { refMessage } from "./wire.ts";

/** What the steps of one job may be, over all of its attempts. */
export const STEP_LIMITS = {
  nameLength: 100,
  resultBytes: 256 * 1024,
  steps: 1_000,
  totalBytes: 4 * 1024 * 1024,
} as const;

/** The step breaks a limit; the message says which. */
export class StepRefused extends Error {
  override readonly name = "StepRefused";
}

/** Names and results of the steps that ended in earlier attempts. */
export type ReadSteps = (
  ref: AttemptRef,
) => Promise<readonly { readonly name: string; readonly result: string }[]>;

export const createStepReader =
  (options: {
    readonly clock: Clock;
    readonly random: Random;
    /** A server that answers. */
    readonly route: () => ServerConnection;
  }): ReadSteps =>
  async (ref) => {
    if (ref.attempt === 1) return [];
    const { steps } = await persist(
      options,
      async () =>
        await options.route().runner.listSteps({ attempt: refMessage(ref) }, { timeoutMs: 5_000 }),
    );
    return steps.map(({ name, resultJson }) => ({ name, result: resultJson }));
  };

/** The steps of one attempt. They are read when the first is asked for. */
export const createSteps = (
  ref: AttemptRef,
  read: ReadSteps,
  write: (name: string, result: string) => Promise<void>,
): Steps => {
  let known: Promise<Map<string, string>> | null = null;
  const own = new Set<string>();
  let bytes = 0;

  const load = async (): Promise<Map<string, string>> => {
    const steps = await read(ref);
    for (const { result } of steps) bytes += Buffer.byteLength(result);
    return new Map(steps.map(({ name, result }) => [name, result]));
  };

  const all = async (): Promise<Map<string, string>> => {
    const loading = (known ??= load());
    try {
      return await loading;
    } catch (cause) {
      // Whoever asks later may have more luck.
      if (known === loading) known = null;
      throw cause;
    }
  };

  return {
    // Of earlier attempts only: a name that is used twice in one is a mistake, whichever attempt it is.
    find: async (name) => {
      const steps = await all();
      return own.has(name) ? undefined : steps.get(name);
    },
    finish: async (name, result) => {
      const steps = await all();
      const size = Buffer.byteLength(result);
      check(name, size, steps);
      if (bytes + size > STEP_LIMITS.totalBytes) {
        throw new StepRefused(`the steps of a job hold at most ${STEP_LIMITS.totalBytes} bytes`);
      }
      bytes += size;
      steps.set(name, result);
      own.add(name);
      await write(name, result);
    },
  };
};

const check = (name: string, size: number, steps: ReadonlyMap<string, string>): void => {
  const { nameLength, resultBytes } = STEP_LIMITS;
  if (name === "" || name.length > nameLength) {
    throw new StepRefused(`a step's name has 1 to ${nameLength} characters; it has ${name.length}`);
  }
  // Else it would be another name once it was written: halves of a pair become U+FFFD.
  if (!name.isWellFormed()) throw new StepRefused("a step's name must be Unicode text");
  if (steps.has(name))
    throw new StepRefused(`the step "${name}" has ended before: names are unique`);
  if (steps.size >= STEP_LIMITS.steps) {
    throw new StepRefused(`a job has at most ${STEP_LIMITS.steps} steps`);
  }
  if (size > resultBytes) {
    throw new StepRefused(
      `the result of the step "${name}" has ${size} bytes; at most ${resultBytes} are allowed`,
    );
  }
};

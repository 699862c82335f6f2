import type { Client } from "@connectrpc/connect";
import { expect } from "vitest";

import { JobState } from "../../src/gen/millrace/v1/job_pb.ts";
import type { JobService } from "../../src/gen/millrace/v1/job_service_pb.ts";
import { jsonValue, look } from "./seen.ts";

/** Honest jobs of another organization, one after the other: there is always one under way. */
export type Neighbour = {
  /** Resolves when the job that runs now has ended as it should. */
  unharmed(): Promise<void>;
  /** How many have ended as they should. */
  served(): number;
  stop(): Promise<void>;
};

const TICKS = 8;

/** Each job has a text of its own, so that nothing is taken from a memory. */
const codeOf = (tickMs: number): string => `export default async (input, ctx) => {
  let sum = input.seed;
  for (let i = 1; i <= ${TICKS}; i++) {
    await ctx.sleep(${tickMs});
    sum = (sum * 31 + i) % 1_000_003;
    ctx.progress({ done: i, total: ${TICKS} });
    ctx.log(i, sum);
  }
  return { sum, strange: [typeof left, typeof ({}).left, typeof [].left] };
};`;

const expected = (seed: number): { readonly sum: number; readonly output: readonly string[] } => {
  let sum = seed;
  const output: string[] = [];
  for (let i = 1; i <= TICKS; i += 1) {
    sum = (sum * 31 + i) % 1_000_003;
    output.push(`LOG ${i} ${sum}`);
  }
  return { sum, output };
};

export const startNeighbour = (jobs: Client<typeof JobService>, tickMs: number): Neighbour => {
  const code = codeOf(tickMs);
  let served = 0;
  let stopped = false;

  const once = async (seed: number): Promise<void> => {
    const spec = {
      work: { case: "script" as const, value: { source: `${code} // ${seed}` } },
      input: jsonValue({ seed }),
      retryPolicy: { maxRetries: 0 },
    };
    const { job } = await jobs.runJob({ submit: { spec }, maxWait: { seconds: 60n } });
    if (job === undefined) throw new Error("an answer without a job");
    const seen = await look(jobs, job);
    const { sum, output } = expected(seed);
    expect({ ...seen, state: job.state, attempt: job.attempt }).toMatchObject({
      state: JobState.SUCCEEDED,
      attempt: 1,
      code: "",
      message: "",
      result: { sum, strange: ["undefined", "undefined", "undefined"] },
      output,
      fraction: 1,
    });
    served += 1;
  };

  const failures: unknown[] = [];
  const next = (seed: number): Promise<void> => {
    const job = once(seed);
    job.catch((cause: unknown) => failures.push(cause));
    return job;
  };

  let current = next(0);
  const lane = async (): Promise<void> => {
    for (let seed = 1; !stopped; seed += 1) {
      await Promise.allSettled([current]);
      current = next(seed);
    }
    await Promise.allSettled([current]);
  };
  const running = lane();

  return {
    unharmed: async () => {
      await current;
    },
    served: () => served,
    stop: async () => {
      stopped = true;
      await running;
      expect(failures).toEqual([]);
    },
  };
};

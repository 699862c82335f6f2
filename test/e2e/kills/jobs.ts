import { fromJson, toJson } from "@bufbuild/protobuf";
import { ValueSchema } from "@bufbuild/protobuf/wkt";
import { expect } from "vitest";

import { AttemptOutcome } from "../../../src/gen/millrace/v1/job_pb.ts";
import { persistently, type Work, type World } from "./world.ts";

const JOBS = 50;
const SOURCE = `export default async function (input, ctx) {
  console.log("job", input);
  const made = await ctx.step("make", () => ctx.attempt);
  ctx.output("made in attempt " + made);
  ctx.progress(0.5);
  await ctx.sleep(60);
  return input * 2;
}`;

const submitAll = async ({ jobs }: World, round: number): Promise<Map<string, number>> => {
  const acknowledged = new Map<string, number>();
  for (let index = 0; index < JOBS; index += 1) {
    const { job } = await persistently(
      async () =>
        await jobs.submitJob({
          requestId: `job-${round}-${index}`,
          spec: {
            work: { case: "script", value: { source: SOURCE } },
            input: fromJson(ValueSchema, index),
          },
        }),
    );
    acknowledged.set(job?.id ?? "", index);
  }
  return acknowledged;
};

/** Every acknowledged job succeeded once, with its own result; all of its attempts saw one step. */
const check = async ({ jobs }: World, acknowledged: Map<string, number>): Promise<void> => {
  expect(acknowledged.size).toBe(JOBS);
  for (const [jobId, index] of acknowledged) {
    const { result } = await jobs.getJobResult({ jobId });
    expect(result && toJson(ValueSchema, result)).toBe(index * 2);
    const { attempts } = await jobs.listJobAttempts({ jobId });
    expect(attempts.filter(({ outcome }) => outcome === AttemptOutcome.SUCCEEDED)).toHaveLength(1);
    expect(attempts.at(-1)?.outcome).toBe(AttemptOutcome.SUCCEEDED);
    const { rows } = await jobs.listJobOutput({ jobId });
    const made = rows.flatMap(({ text }) => (text.startsWith("made") ? [text] : []));
    expect(new Set(made).size).toBe(1);
  }
};

/** Jobs that are submitted while the server comes and goes. */
export const beginJobs = (world: World, round: number): Work => {
  const submitting = submitAll(world, round);
  return { count: JOBS, check: async () => await check(world, await submitting) };
};

import { fromJson, toJson } from "@bufbuild/protobuf";
import { ValueSchema } from "@bufbuild/protobuf/wkt";
import { expect } from "vitest";

import { AttemptOutcome } from "../../../src/gen/millrace/v1/job_pb.ts";
import type { EngineName } from "../../support/databases.ts";
import { childrenOf } from "../../support/sandbox-processes.ts";
import { countOf, persistently, startWorld, type World } from "./world.ts";

const JOBS = 100;
const SOURCE = `export default async function (input, ctx) {
  console.log("job", input);
  const made = await ctx.step("make", () => ctx.attempt);
  ctx.output("made in attempt " + made);
  ctx.progress(0.5);
  await ctx.sleep(60);
  return input * 2;
}`;

const submitAll = async ({ jobs }: World): Promise<Map<string, number>> => {
  const acknowledged = new Map<string, number>();
  for (let index = 0; index < JOBS; index += 1) {
    const { job } = await persistently(
      async () =>
        await jobs.submitJob({
          requestId: `job-${index}`,
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
  expect(await countOf(jobs, [])).toBe(JOBS);
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

/** The server, a sandbox child and the runner are killed among a hundred jobs. */
export const jobsSurvive = async (engine: EngineName): Promise<void> => {
  await using world = await startWorld(engine, { slots: 4 });
  const { server, newRunner, untilEnded } = world;
  const first = await newRunner();
  const submitting = submitAll(world);

  await untilEnded(10);
  await server.kill("SIGKILL");
  await server.start();

  await untilEnded(30);
  const child = childrenOf(first.pid)[0];
  if (child === undefined) throw new Error("the runner has no sandbox child");
  process.kill(child, "SIGKILL");

  await untilEnded(50);
  await first.kill("SIGKILL");
  await newRunner();

  await untilEnded(JOBS);
  await check(world, await submitting);
  await world.checkCounts(JOBS);
};

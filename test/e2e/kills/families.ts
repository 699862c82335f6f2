import { fromJson, toJson } from "@bufbuild/protobuf";
import { ValueSchema } from "@bufbuild/protobuf/wkt";
import { expect } from "vitest";

import { AttemptOutcome } from "../../../src/gen/millrace/v1/job_pb.ts";
import type { Work, World } from "./world.ts";

const PARENTS = 4;
const CHILDREN = 4;
const ALL = PARENTS * (1 + CHILDREN);
const SOURCE = `export default async ({ children }, ctx) => {
  const source = "export default async (n, ctx) => { await ctx.sleep(1_000 + 50 * n); return n; }";
  const ids = [];
  for (let n = 0; n < children; n += 1) {
    ids.push(await ctx.submit("child " + n, { script: { source }, input: n }));
  }
  ctx.output("waits");
  const results = await Promise.all(ids.map((id) => ctx.waitFor(id)));
  return { ids, sum: results.reduce((sum, n) => sum + n, 0) };
}`;

/** Parents, all of which wait for their children. */
const submitAll = async ({ jobs }: World): Promise<string[]> => {
  const ids: string[] = [];
  for (let index = 0; index < PARENTS; index += 1) {
    const { job } = await jobs.submitJob({
      spec: {
        work: { case: "script", value: { source: SOURCE } },
        input: fromJson(ValueSchema, { children: CHILDREN }),
      },
    });
    ids.push(job?.id ?? "");
  }
  for (const jobId of ids) {
    for await (const { output } of jobs.watchJob({ jobId })) {
      if (output.some(({ text }) => text === "waits")) break;
    }
  }
  return ids;
};

/** Each parent has the results of its own children, which were submitted once, whatever its attempts. */
const check = async ({ jobs }: World, parents: readonly string[], least: number) => {
  const children = new Set<string>();
  for (const jobId of parents) {
    const { job } = await jobs.getJob({ jobId });
    expect(job?.childCount).toBe(CHILDREN);
    expect(job?.attempt).toBeGreaterThanOrEqual(least);
    const { result } = await jobs.getJobResult({ jobId });
    const value = result && (toJson(ValueSchema, result) as { ids: string[]; sum: number });
    expect(value?.sum).toBe((CHILDREN * (CHILDREN - 1)) / 2);
    for (const id of value?.ids ?? []) children.add(id);
  }
  expect(children.size).toBe(PARENTS * CHILDREN);
  for (const jobId of [...parents, ...children]) {
    const { attempts } = await jobs.listJobAttempts({ jobId });
    const good = attempts.filter(({ outcome }) => outcome === AttemptOutcome.SUCCEEDED);
    expect(good).toHaveLength(1);
  }
};

/** Parents that wait for their children, each of them in such an attempt at least. */
export const beginFamilies = async (world: World, attempt: number): Promise<Work> => {
  const parents = await submitAll(world);
  return { count: ALL, check: async () => await check(world, parents, attempt) };
};

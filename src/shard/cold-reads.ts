import type { OrganizationId, WorkflowId } from "../jobs/ids.ts";
import type { JobRow } from "../jobs/job.ts";
import { LIMITS } from "../jobs/limits.ts";
import {
  type ColdRows,
  type JobKey,
  NO_COLD_ROWS,
  NOTHING_WANTED,
  type ShardId,
  type ShardStore,
  type WorkflowKey,
} from "../store/store.ts";
import { type Command, type Wanted, wantNothing, wantsNothing } from "./commands/command.ts";
import { wantHooks } from "./notices/hook-rows.ts";
import type { ShardState } from "./state.ts";
import type { TurnBounds } from "./turn-bounds.ts";

const textOf = (organizationId: OrganizationId, id: string): string => `${organizationId}/${id}`;

/**
 * What a batch of commands needs from the database, and what earlier turns left to this one: one read, and two more where only what was read
 * tells what else is needed, such as the job of a known request.
 */
export const readFor = async (
  store: Pick<ShardStore, "readCold">,
  shardId: ShardId,
  state: ShardState,
  commands: readonly Command<unknown>[],
  { notices }: TurnBounds,
): Promise<ColdRows> => {
  const wanted = wantNothing();
  const organizationId = state.untold.next();
  if (organizationId !== undefined) {
    const limit = Math.max(1, Math.floor(notices / LIMITS.hooks));
    wanted.untold.push({ organizationId, limit });
    wantHooks(state, wanted, organizationId);
  }
  for (const command of commands) command.want(state, wanted);
  if (wantsNothing(wanted)) return NO_COLD_ROWS;
  const cold = await store.readCold(shardId, wanted);
  // A known request names a job that nobody asked for yet.
  const named = cold.requests
    .filter(({ organizationId, jobId }) => state.find(organizationId, jobId) === undefined)
    .map(({ organizationId, jobId }) => ({ organizationId, id: jobId }));
  const whole = wholeWorkflows(state, wanted, cold);
  if (named.length === 0 && whole.length === 0) return cold;
  const more = await store.readCold(shardId, {
    ...NOTHING_WANTED,
    jobs: named,
    workflows: whole.filter((key) => state.workflows.find(key) === undefined),
  });
  const jobs = [...cold.jobs, ...more.jobs];
  const missing = endedSteps(state, whole, more, jobs);
  if (missing.length > 0) {
    jobs.push(...(await store.readCold(shardId, { ...NOTHING_WANTED, jobs: missing })).jobs);
  }
  return { ...cold, jobs, workflows: [...cold.workflows, ...more.workflows] };
};

/** Which workflows are wanted with all of their jobs; each once. */
const wholeWorkflows = (state: ShardState, { whole }: Wanted, cold: ColdRows): WorkflowKey[] => {
  if (whole.length === 0) return [];
  const ids = new Map<string, WorkflowId | "">();
  for (const { organizationId, id, workflowId } of cold.jobs) {
    ids.set(textOf(organizationId, id), workflowId);
  }
  for (const { organizationId, requestId, jobId } of cold.requests) {
    ids.set(textOf(organizationId, `request ${requestId}`), jobId as string as WorkflowId);
  }
  const keys = new Map<string, WorkflowKey>();
  for (const { organizationId, by, name } of whole) {
    const id =
      by === "id"
        ? (name as WorkflowId)
        : ids.get(textOf(organizationId, by === "job" ? name : `request ${name}`));
    if (id === undefined || id === "") continue;
    keys.set(textOf(organizationId, id), { organizationId, id });
  }
  return [...keys.values()];
};

/** The steps of these workflows that are not active, without those that have been read already. */
const endedSteps = (
  state: ShardState,
  whole: readonly WorkflowKey[],
  { workflows }: ColdRows,
  read: readonly JobRow[],
): JobKey[] => {
  const known = new Set(read.map(({ organizationId, id }) => textOf(organizationId, id)));
  const steps = [
    ...workflows.flatMap((rows) => rows.steps),
    ...whole.flatMap((key) => state.workflows.find(key)?.steps.map(({ row }) => row) ?? []),
  ];
  return steps
    .filter(({ organizationId, jobId }) => state.find(organizationId, jobId) === undefined)
    .map(({ organizationId, jobId }) => ({ organizationId, id: jobId }))
    .filter(({ organizationId, id }) => !known.has(textOf(organizationId, id)));
};

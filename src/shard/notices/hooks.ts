import type { HookRow } from "../../jobs/hook.ts";
import type { JobRow } from "../../jobs/job.ts";
import { LIMITS } from "../../jobs/limits.ts";
import { jobEvent, jobNotice } from "../../jobs/notice.ts";
import { hasEnded } from "../../jobs/states.ts";
import type { HookNotice, UntoldNotice } from "../../jobs/unfinished.ts";
import type { Turn } from "../turn.ts";
import { oweHook } from "./hook-delivery.ts";
import { findHook, putHook } from "./hook-rows.ts";

/**
 * Every hook that waits for the state into which a job came in this turn is owed a notice, in the same
 * commit. States that the job only passed are not told. Of what is more than the turn has room for, the
 * commit keeps what is to be told and to which hooks: later turns make the notices (tellRest).
 */
export const noteHooks = (turn: Turn): void => {
  for (const [{ row, organization }, before] of turn.touched()) {
    // One that had ended in the same way is touched only if it was retried: it has ended again.
    const isOld = row.state === before?.state && !hasEnded(row.state);
    if (organization.hooks.size === 0 || isOld) continue;
    const told = organization.hooks.hearing(row);
    if (told.length > 0) tell(turn, row, told);
  }
};

const tell = (turn: Turn, job: JobRow, hooks: readonly HookRow[]): void => {
  const told = hooks.filter((hook) => {
    const why = whyLoop(hook, job);
    if (why !== null) stopLoop(turn, hook, why);
    return why === null;
  });
  if (told.length === 0) return;
  const { organizationId, state, hookChain } = job;
  const notice: HookNotice = {
    event: jobEvent(job),
    jobId: job.id,
    attempt: state === "SUCCEEDED" ? job.attempt : 0,
    hookChain,
    // One text, however many hooks it goes to.
    body: jobNotice(job, turn.now),
  };
  const { room } = turn.unfinished;
  // What waits already goes first.
  if (turn.state.untold.has(organizationId) || told.length > room.notices) {
    const body: UntoldNotice = { notice, hooks: told.map(({ id }) => id) };
    const id = turn.newId();
    turn.unfinished.leave({ organizationId, kind: "tell", id, body: JSON.stringify(body) });
    turn.state.untold.add(organizationId, 1);
    return;
  }
  room.notices -= told.length;
  for (const hook of told) oweHook(turn, hook, notice);
};

/** Makes the notices that earlier turns left to this one. A hook that is gone is told nothing more. */
export const tellRest = (turn: Turn): void => {
  for (const row of turn.unfinished.untold) {
    const { organizationId } = row;
    const { notice, hooks } = JSON.parse(row.body) as UntoldNotice;
    for (const id of hooks) {
      const hook = findHook(turn, { organizationId, id });
      if (hook !== null) oweHook(turn, hook, notice);
    }
    turn.unfinished.done(row);
    turn.state.untold.add(organizationId, -1);
  }
};

const stopLoop = (turn: Turn, hook: HookRow, loopReason: string): void => {
  putHook(turn, { ...hook, loopsStopped: hook.loopsStopped + 1, loopReason });
  turn.notices.loopsStopped += 1;
};

/** Why the hook is not told of the job, as a sentence; null if it is. */
const whyLoop = ({ id, target }: HookRow, job: JobRow): string | null => {
  if (job.hookChain.includes(id)) return `Job ${job.id} came of a job that this hook submitted.`;
  if (target.kind === "job" && job.hookChain.length >= LIMITS.hookChain) {
    return `Job ${job.id} came of ${LIMITS.hookChain} hooks that submitted jobs one after another.`;
  }
  return null;
};

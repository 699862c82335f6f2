import type { HookRow } from "../../jobs/hook.ts";
import type { JobRow } from "../../jobs/job.ts";
import { LIMITS } from "../../jobs/limits.ts";
import { jobEvent, jobNotice } from "../../jobs/notice.ts";
import { hasEnded } from "../../jobs/states.ts";
import type { Turn } from "../turn.ts";
import { oweHook } from "./hook-delivery.ts";
import { putHook } from "./hook-rows.ts";

/**
 * Every hook that waits for the state into which a job came in this turn is owed a notice, in the same
 * commit. States that the job only passed are not told.
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
  // One text, however many hooks it goes to.
  const notice = { event: jobEvent(job), job, body: jobNotice(job, turn.now) };
  for (const hook of hooks) {
    const why = whyLoop(hook, job);
    if (why === null) oweHook(turn, hook, notice);
    else stopLoop(turn, hook, why);
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

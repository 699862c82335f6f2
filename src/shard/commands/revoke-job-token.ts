import type { Actor } from "../../jobs/audit.ts";
import { type JobFault, tokenNotFound } from "../../jobs/errors.ts";
import type { JobId, OrganizationId } from "../../jobs/ids.ts";
import type { Command } from "./command.ts";

/**
 * Revokes the own token of an attempt, and of all before it. Answers whether it was worth anything
 * until now: one that was revoked, or whose attempt has ended, is no error. Refuses with
 * TOKEN_NOT_FOUND if there was no such attempt.
 */
export const revokeJobToken = (
  organizationId: OrganizationId,
  { jobId, attempt }: { readonly jobId: JobId; readonly attempt: number },
  by: Actor,
): Command<boolean | JobFault> => ({
  weight: 1,
  bytes: 0,
  want: (state, wanted) => {
    if (state.find(organizationId, jobId) === undefined) {
      wanted.jobs.push({ organizationId, id: jobId });
    }
  },
  apply: (turn) => {
    const row = turn.row(organizationId, jobId);
    if (row === null || attempt > row.attempt) {
      return tokenNotFound(`job:${jobId}#${attempt}`);
    }
    const job = turn.state.find(organizationId, jobId);
    const isDead = row.state !== "RUNNING" || attempt < row.attempt;
    if (job === undefined || isDead || row.tokenRevokedAttempt >= attempt) return false;
    turn.audit(organizationId, {
      actor: by,
      action: "job.revoke-token",
      subject: jobId,
      details: JSON.stringify({ attempt }),
    });
    turn.change(job, { tokenRevokedAttempt: attempt });
    return true;
  },
});

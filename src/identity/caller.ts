import type { Permission } from "../jobs/abilities.ts";
import type { OrganizationId, JobId, UserId } from "../jobs/ids.ts";
import type { JobRow, Millis } from "../jobs/job.ts";
import type { WorkflowRow } from "../jobs/workflow.ts";

/** Somebody of an organization: a user, the organization itself, or an attempt of a job. */
export type UserCaller = {
  readonly kind: "user";
  readonly organizationId: OrganizationId;
  /** Empty for a token of the organization itself: its jobs have no owner. */
  readonly userId: UserId | "";
  /** What this token may do: never more than its user may now. */
  readonly permissions: ReadonlySet<Permission>;
  /** As the audit log names it (jobs/audit.ts). */
  readonly tokenId: string;
  /** The attempt that a job's own token was made for; null for every other token. */
  readonly attempt: { readonly jobId: JobId; readonly attempt: number } | null;
};

/** A runner process: it works for every organization and reads nobody's jobs. */
export type RunnerCaller = { readonly kind: "runner"; readonly tokenId: string };

/** Whoever runs the service: makes organizations and their first users, and sees no jobs. */
export type OperatorCaller = { readonly kind: "operator"; readonly tokenId: string };

export type Caller = UserCaller | RunnerCaller | OperatorCaller;

/** What a token is worth now. */
export type Presented = {
  readonly caller: Caller;
  /** Null: not by itself. */
  readonly expiresAt: Millis | null;
  /** Who submitted the job whose own token it is; empty for every other token. */
  readonly creatorId: UserId | "";
};

const isAdmin = (caller: UserCaller): boolean => caller.permissions.has("admin");

/** Row C4: who created a job and for whom it acts may see it, and an admin of its organization. */
export const maySee = (
  caller: UserCaller,
  job: Pick<JobRow, "organizationId" | "creatorId" | "runAs">,
): boolean =>
  job.organizationId === caller.organizationId &&
  (isAdmin(caller) ||
    (caller.userId !== "" && (job.creatorId === caller.userId || job.runAs === caller.userId)));

/** A workflow is seen by who submitted it, and by an admin of its organization. */
export const maySeeWorkflow = (
  caller: UserCaller,
  workflow: Pick<WorkflowRow, "organizationId" | "creatorId">,
): boolean => maySee(caller, { ...workflow, runAs: workflow.creatorId });

/** Stands for nobody in a filter: no user has this id. */
const NOBODY = "-" as UserId;

/** As a filter for reads: the user whose jobs alone are seen; null for all of the organization. */
export const seesOnly = (caller: UserCaller): UserId | null => {
  if (isAdmin(caller)) return null;
  return caller.userId === "" ? NOBODY : caller.userId;
};

import type { OrganizationId, UserId } from "../jobs/ids.ts";
import type { JobRow } from "../jobs/job.ts";
import type { UserRow } from "../store/store.ts";

/** A user of an organization, as his token says. */
export type UserCaller = {
  readonly kind: "user";
  readonly organizationId: OrganizationId;
  readonly userId: UserId;
  readonly role: UserRow["role"];
};

/** A runner process: it works for every organization and reads nobody's jobs. */
export type RunnerCaller = { readonly kind: "runner"; readonly tokenId: string };

export type Caller = UserCaller | RunnerCaller;

/** Row C4: who created a job and for whom it acts may see it, and an admin of its organization. */
export const maySee = (caller: UserCaller, job: JobRow): boolean =>
  job.organizationId === caller.organizationId &&
  (caller.role === "admin" || job.creatorId === caller.userId || job.runAs === caller.userId);

/** As a filter for reads: the user whose jobs alone are seen; null for all of the organization. */
export const seesOnly = (caller: UserCaller): UserId | null =>
  caller.role === "admin" ? null : caller.userId;

import type { OrganizationId, UserId } from "./ids.ts";
import type { Millis } from "./job.ts";

/** `STATIC` ones are set by hand and stay; `DYNAMIC` ones are used up by what they allow. */
export type AttributeKind = "STATIC" | "DYNAMIC";

/** A fact about a user that jobs depend on. A name may have several values. */
export type AttributeRow = {
  readonly organizationId: OrganizationId;
  readonly userId: UserId;
  /** 1 to 100 of `a-z 0-9 . _ -`. */
  readonly name: string;
  /** At most 200 characters. */
  readonly value: string;
  readonly kind: AttributeKind;
  readonly createdAt: Millis;
};

/** Static; with the value `true` the jobs that act for this user are HELD until they are released. */
export const DEFERRED_ACTION = "deferred-action";
/** Dynamic; its value is the id of the job that it releases. Used up by it. */
export const RELEASE_JOB = "release-job";

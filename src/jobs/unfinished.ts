import type { HookId, OrganizationId } from "./ids.ts";
import type { JobId } from "./ids.ts";
import type { JobRow, JsonText } from "./job.ts";

/**
 * `settle`: a job has ended, or is to end, and not all that follows for others has been done.
 * `tell`: hooks are to be told of a change of a job.
 */
export type UnfinishedKind = "settle" | "tell";

/** What a commit left to later ones. It goes with the commit that did the last of it. */
export type UnfinishedRow = {
  readonly organizationId: OrganizationId;
  readonly kind: UnfinishedKind;
  /** Of the job that is to be settled; of a notice, a UUIDv7 of its own. */
  readonly id: string;
  /** Empty, or a `HookNotice` with its hooks. */
  readonly body: JsonText;
};

/** What hooks are told of a job, of a number, or to see whether it arrives. */
export type HookNotice = {
  /** `job.succeeded`, `threshold.above`, `hook.test` … */
  readonly event: string;
  /** Empty for thresholds and tests. */
  readonly jobId: JobId | "";
  /** The attempt whose result is sent along; 0: none. */
  readonly attempt: number;
  /** Of the job. */
  readonly hookChain: JobRow["hookChain"];
  readonly body: JsonText;
};

/** The body of a `tell`. */
export type UntoldNotice = { readonly notice: HookNotice; readonly hooks: readonly HookId[] };

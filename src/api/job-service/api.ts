import type { HandlerContext } from "@connectrpc/connect";

import type { JobTypes } from "../../catalog/job-types.ts";
import type { SchemaChecker } from "../../catalog/schema/checker.ts";
import type { ScriptCompiler } from "../../catalog/script/compiler.ts";
import { maySee, type UserCaller } from "../../identity/caller.ts";
import type { KnownUsers } from "../../identity/known-users.ts";
import type { Actor } from "../../jobs/audit.ts";
import { jobNotFound } from "../../jobs/errors.ts";
import { isUuidV7, type JobId } from "../../jobs/ids.ts";
import type { JobRow } from "../../jobs/job.ts";
import type { Receivers } from "../../outgoing/receivers.ts";
import type { Clock } from "../../runtime/clock.ts";
import type { ShardOwner, ShardRouter } from "../../shard/owner.ts";
import type { JobReader, Place, WorkflowReader } from "../../store/store.ts";
import { invalidField } from "../convert/faults.ts";
import { addressKey, userOf } from "../caller-context.ts";
import type { Seal } from "../sealed-token.ts";

/** What the handlers of JobService work with. */
export type JobApi = {
  readonly router: ShardRouter;
  readonly jobs: JobReader;
  readonly workflows: WorkflowReader;
  readonly users: KnownUsers;
  readonly clock: Clock;
  /** A fresh UUIDv7. */
  readonly newId: () => string;
  readonly scripts: ScriptCompiler;
  readonly types: JobTypes;
  readonly schemas: SchemaChecker;
  readonly seal: Seal;
  /** Who may be told of the end of a job. */
  readonly receivers: Receivers;
  /** Aborted when the server stops. */
  readonly shutdown: AbortSignal;
};

/** One call: who makes it, and where that organization's jobs are. */
export type Call = {
  readonly api: JobApi;
  readonly caller: UserCaller;
  readonly place: Place;
  readonly context: HandlerContext;
};

export const openCall = (api: JobApi, context: HandlerContext): Call => {
  const caller = userOf(context);
  const { organizationId } = caller;
  return {
    api,
    caller,
    place: { shardId: api.router.shardOf(organizationId), organizationId },
    context,
  };
};

/** Who calls, as the audit log keeps it. */
export const actorOf = ({ caller, context }: Call): Actor => ({
  userId: caller.userId,
  tokenId: caller.tokenId,
  address: context.values.get(addressKey),
});

/** @throws JobFault SHARD_UNAVAILABLE */
export const ownerOf = ({ api, place }: Call): ShardOwner =>
  api.router.ownerOf(place.organizationId);

/**
 * The job, if the caller may see it. Whatever is no id is no job either.
 * @throws JobFault JOB_NOT_FOUND, in the same words whether it is hidden or absent; INVALID_ARGUMENT for an empty id
 */
export const findJob = async ({ api, caller, place }: Call, jobId: string): Promise<JobRow> => {
  if (jobId === "") throw invalidField("job_id", "is missing.");
  const row = isUuidV7(jobId) ? await api.jobs.find(place, jobId as JobId) : null;
  if (row === null || !maySee(caller, row)) throw jobNotFound(jobId);
  return row;
};

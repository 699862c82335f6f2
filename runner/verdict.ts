import { fromBinary } from "@bufbuild/protobuf";
import { Code, type ConnectError } from "@connectrpc/connect";

import { ErrorInfoSchema } from "../src/gen/google/rpc/error_details_pb.ts";
import type { Status } from "../src/gen/google/rpc/status_pb.ts";
import type { UpdateJobsResponse_Outcome } from "../src/gen/millrace/internal/v1/job_update_service_pb.ts";

/** What one answer to one report means for its attempt. */
export type Verdict =
  | { readonly kind: "applied"; readonly cancelRequested: boolean }
  /** It is no longer ours. */
  | { readonly kind: "lost" }
  /** Nobody could decide now: say it again later. */
  | { readonly kind: "again" }
  /** It will never be taken. */
  | { readonly kind: "refused"; readonly why: string };

const LOST: ReadonlySet<string> = new Set(["LEASE_LOST", "JOB_NOT_FOUND"]);
const REFUSED: ReadonlySet<string> = new Set(["INVALID_ARGUMENT", "NOT_SUPPORTED"]);

const ERROR_INFO = "type.googleapis.com/google.rpc.ErrorInfo";

const reasonOf = (status: Status): string => {
  const info = status.details.find(({ typeUrl }) => typeUrl === ERROR_INFO);
  return info === undefined ? "" : fromBinary(ErrorInfoSchema, info.value).reason;
};

export const verdictOf = (outcome: UpdateJobsResponse_Outcome): Verdict => {
  const { error } = outcome;
  if (error === undefined) {
    return { kind: "applied", cancelRequested: outcome.cancelRequested };
  }
  const reason = reasonOf(error);
  if (LOST.has(reason)) return { kind: "lost" };
  if (REFUSED.has(reason)) return { kind: "refused", why: `${reason}: ${error.message}` };
  return { kind: "again" };
};

/** Whether a call failed because of what was in it, so that a smaller one may pass. */
export const isAboutContent = (cause: ConnectError): boolean =>
  cause.code === Code.InvalidArgument || cause.code === Code.ResourceExhausted;

/** Whether the server will not have this runner: its token is wrong, or it is no internal listener. */
export const refusesUs = (cause: ConnectError): boolean =>
  cause.code === Code.Unauthenticated ||
  cause.code === Code.PermissionDenied ||
  cause.code === Code.Unimplemented;

import { durationMs } from "@bufbuild/protobuf/wkt";
import { Code, type ConnectError } from "@connectrpc/connect";

import {
  BadRequestSchema,
  ErrorInfoSchema,
  RetryInfoSchema,
} from "../gen/google/rpc/error_details_pb.ts";
import { EXIT, type ExitCode } from "./exit-codes.ts";
import { CliFailure } from "./failure.ts";

/** The stable reason that the server gave; null if the error is not the server's own. */
export const reasonOf = (error: ConnectError): string | null =>
  error.findDetails(ErrorInfoSchema)[0]?.reason ?? null;

const exitCodeOf = (code: Code): ExitCode => {
  switch (code) {
    case Code.InvalidArgument:
      return EXIT.usage;
    case Code.Unavailable:
    case Code.Unauthenticated:
      return EXIT.unreachable;
    default:
      return EXIT.refused;
  }
};

const NEXT_STEPS: Readonly<Record<string, string>> = {
  UNAUTHENTICATED:
    "Give a valid token with --token or MILLRACE_TOKEN; `millrace token create` makes one.",
  ORGANIZATION_NOT_FOUND: "`millrace organization list` shows all to an operator.",
  USER_NOT_FOUND: "`millrace user list` shows the users of the organization.",
  TOKEN_NOT_FOUND: "`millrace token list` shows the tokens that this one may end.",
  SCHEDULE_NOT_FOUND: "`millrace schedule list` shows the schedules that this token may see.",
  SCHEDULE_CHANGED: "`millrace schedule get <schedule>` shows it as it is now.",
  LAST_ADMIN: "`millrace user update <user> --roles admin` makes another admin.",
  JOB_NOT_FOUND: "`millrace job list` shows the jobs that this token may see.",
  JOB_TYPE_NOT_FOUND: "`millrace type list` shows the types of this organization.",
  JOB_TYPE_DISABLED: "An admin lets it take jobs again with `millrace type enable`.",
  JOB_NOT_COMPLETED: "`millrace job wait <job>` waits for its end and tells how it went.",
  JOB_NOT_RETRYABLE: "`millrace job get <job>` shows its state and how many retries are left.",
  JOB_NOT_CANCELLABLE: "`millrace job get <job>` shows how it ended.",
  JOB_NOT_HELD: "`millrace job get <job>` shows its state and for whom it acts.",
  REQUEST_ID_REUSED: "Use another --request-id for other content.",
  JOB_CONFLICT: "Wait until the other job has ended, or leave --reject-conflict out.",
};

const pauseText = (error: ConnectError): string => {
  const delay = error.findDetails(RetryInfoSchema)[0]?.retryDelay;
  if (delay === undefined) return "";
  return `Try again in ${Math.max(1, Math.ceil(durationMs(delay) / 1_000))} s.`;
};

/** Without a reason the fault lies on the way to the server, or it is not a Millrace server. */
const nextStep = (error: ConnectError, reason: string | null, url: string): string =>
  reason === null
    ? `Is a server running at ${url}? \`millrace dev\` starts one; --url or MILLRACE_URL names another.`
    : (NEXT_STEPS[reason] ?? pauseText(error));

const sentence = (error: ConnectError, reason: string | null, url: string): string => {
  if (reason === null && error.code === Code.Unavailable) {
    return `The server at ${url} cannot be reached (${error.rawMessage}).`;
  }
  if (reason === null && error.code === Code.Unauthenticated) {
    return `The server at ${url} does not know this token.`;
  }
  return error.rawMessage;
};

/** An error of a call to the server at `url`, as the command line tells it. */
export const apiFailure = (error: ConnectError, url: string): CliFailure => {
  const reason = reasonOf(error);
  return new CliFailure(exitCodeOf(error.code), sentence(error, reason, url), {
    reason: reason ?? Code[error.code].toUpperCase(),
    faults: error
      .findDetails(BadRequestSchema)
      .flatMap((detail) => detail.fieldViolations)
      .map(({ field, description }) => ({ field, description })),
    next: nextStep(error, reason, url),
    cause: error,
  });
};

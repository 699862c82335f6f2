import {
  create,
  createRegistry,
  type DescMessage,
  type MessageInitShape,
} from "@bufbuild/protobuf";
import { anyPack, durationFromMs } from "@bufbuild/protobuf/wkt";
import { Code, ConnectError } from "@connectrpc/connect";

import {
  BadRequestSchema,
  ErrorInfoSchema,
  PreconditionFailureSchema,
  RetryInfoSchema,
} from "../gen/google/rpc/error_details_pb.ts";
import { type Status, StatusSchema } from "../gen/google/rpc/status_pb.ts";
import { type FieldFault, JobFault, type Reason } from "../jobs/errors.ts";

/** Faults of the domain as errors of the wire: the one place that knows both. docs/errors.md lists them. */
export const CODES: Readonly<Record<Reason, Code>> = {
  INVALID_ARGUMENT: Code.InvalidArgument,
  NOT_SUPPORTED: Code.Unimplemented,
  UNAUTHENTICATED: Code.Unauthenticated,
  PERMISSION_DENIED: Code.PermissionDenied,
  CALLER_CHANGED: Code.Unavailable,
  JOB_NOT_FOUND: Code.NotFound,
  JOB_NOT_COMPLETED: Code.FailedPrecondition,
  JOB_ALREADY_EXISTS: Code.AlreadyExists,
  JOB_CONFLICT: Code.Aborted,
  JOB_NOT_CANCELLABLE: Code.FailedPrecondition,
  JOB_NOT_HELD: Code.FailedPrecondition,
  JOB_NOT_RETRYABLE: Code.FailedPrecondition,
  REQUEST_ID_REUSED: Code.AlreadyExists,
  QUEUE_FULL: Code.ResourceExhausted,
  JOB_NOT_RUNNING: Code.FailedPrecondition,
  LEASE_LOST: Code.Aborted,
  SCRIPT_NOT_FOUND: Code.NotFound,
  JOB_TYPE_NOT_FOUND: Code.NotFound,
  JOB_TYPE_DISABLED: Code.FailedPrecondition,
  WORKFLOW_NOT_FOUND: Code.NotFound,
  WORKFLOW_ALREADY_EXISTS: Code.AlreadyExists,
  WORKFLOW_NOT_CANCELLABLE: Code.FailedPrecondition,
  WORKFLOW_NOT_RETRYABLE: Code.FailedPrecondition,
  TOO_MANY_CHILDREN: Code.ResourceExhausted,
  CHILD_TOO_DEEP: Code.FailedPrecondition,
  HOOK_NOT_FOUND: Code.NotFound,
  HOOK_CHANGED: Code.Aborted,
  TOO_MANY_HOOKS: Code.ResourceExhausted,
  DELIVERY_NOT_FOUND: Code.NotFound,
  SCHEDULE_NOT_FOUND: Code.NotFound,
  SCHEDULE_ALREADY_EXISTS: Code.AlreadyExists,
  SCHEDULE_CHANGED: Code.Aborted,
  TOO_MANY_SCHEDULES: Code.ResourceExhausted,
  TOO_MANY_METRIC_GRANTS: Code.ResourceExhausted,
  ORGANIZATION_NOT_FOUND: Code.NotFound,
  ORGANIZATION_ALREADY_EXISTS: Code.AlreadyExists,
  USER_NOT_FOUND: Code.NotFound,
  USER_ALREADY_EXISTS: Code.AlreadyExists,
  LAST_ADMIN: Code.FailedPrecondition,
  TOO_MANY_ATTRIBUTES: Code.ResourceExhausted,
  TOKEN_NOT_FOUND: Code.NotFound,
  RESUME_TOKEN_EXPIRED: Code.OutOfRange,
  SHARD_UNAVAILABLE: Code.Unavailable,
  SHUTTING_DOWN: Code.Unavailable,
  DEADLINE_EXCEEDED: Code.DeadlineExceeded,
  INTERNAL: Code.Internal,
};

const DOMAIN = "millrace";
/** When the fault itself does not say: a shard moves, and a server starts again, within seconds. */
const RETRY_AFTER_MS = 1_000;

type Detail<Desc extends DescMessage = DescMessage> = {
  readonly desc: Desc;
  readonly value: MessageInitShape<Desc>;
};

const detail = <Desc extends DescMessage>(desc: Desc, value: MessageInitShape<Desc>): Detail => ({
  desc,
  value: create(desc, value),
});

const retryAfterMs = (fault: JobFault): number | undefined =>
  fault.retryAfterMs ?? (CODES[fault.reason] === Code.Unavailable ? RETRY_AFTER_MS : undefined);

/**
 * An error of gRPC travels in the trailers, twice: as its message and in its details. Clients refuse
 * more than they expect there, those of C++ and Python from 16 KiB on. Hence what a caller said is
 * cut where it comes back, and of many faults the first are told.
 */
const LONGEST_MESSAGE = 500;
const LONGEST_METADATA = 200;
const FAULT_BYTES = 5_000;

const cut = (text: string, longest: number): string =>
  text.length <= longest ? text : `${text.slice(0, longest - 1)}…`.toWellFormed();

/** The first, as far as there is room for them; one at least. */
const toldFaults = ({ faults }: JobFault): FieldFault[] => {
  const told: FieldFault[] = [];
  let room = FAULT_BYTES;
  for (const { field, description } of faults) {
    const one = {
      field: cut(field, LONGEST_MESSAGE),
      description: cut(description, LONGEST_MESSAGE),
    };
    room -= Buffer.byteLength(one.field) + Buffer.byteLength(one.description);
    if (room < 0 && told.length > 0) break;
    told.push(one);
  }
  return told;
};

const subjectOf = (metadata: JobFault["metadata"]): string => {
  const { job_id: job = "", type, user_id: user, workflow_id: workflow } = metadata;
  if (type !== undefined) return `types/${type}`;
  if (workflow !== undefined) return `workflows/${workflow}`;
  return user === undefined ? `jobs/${job}` : `users/${user}`;
};

const detailsOf = (fault: JobFault): Detail[] => {
  const message = cut(fault.message, LONGEST_MESSAGE);
  const metadata = Object.fromEntries(
    Object.entries(fault.metadata).map(([key, value]) => [key, cut(value, LONGEST_METADATA)]),
  );
  const details = [
    detail(ErrorInfoSchema, {
      domain: DOMAIN,
      reason: fault.reason,
      metadata,
    }),
  ];
  if (fault.faults.length > 0) {
    details.push(detail(BadRequestSchema, { fieldViolations: toldFaults(fault) }));
  }
  if (CODES[fault.reason] === Code.FailedPrecondition) {
    const subject = subjectOf(metadata);
    const violations = [{ type: fault.reason, subject, description: message }];
    details.push(detail(PreconditionFailureSchema, { violations }));
  }
  const delay = retryAfterMs(fault);
  if (delay !== undefined)
    details.push(detail(RetryInfoSchema, { retryDelay: durationFromMs(delay) }));
  return details;
};

const fromFault = (fault: JobFault): ConnectError =>
  new ConnectError(
    cut(fault.message, LONGEST_MESSAGE),
    CODES[fault.reason],
    undefined,
    detailsOf(fault),
    fault.cause,
  );

/**
 * Whatever a handler threw, as what the caller gets. Errors of Connect itself (a call that was
 * cancelled, a deadline that passed) stay what they are. INTERNAL carries nothing of its cause.
 */
export const toConnectError = (caught: unknown): ConnectError => {
  if (!(caught instanceof ConnectError)) return fromFault(JobFault.from(caught));
  if (caught.code !== Code.DeadlineExceeded || caught.details.length > 0) return caught;
  return fromFault(
    new JobFault("DEADLINE_EXCEEDED", "The deadline of the call has passed.", { cause: caught }),
  );
};

/** An item of a batch carries its details as Any, which JSON spells out: it has to know their types. */
export const DETAILS = createRegistry(
  BadRequestSchema,
  ErrorInfoSchema,
  PreconditionFailureSchema,
  RetryInfoSchema,
);

/** For one item of a batch. */
export const toStatus = (fault: JobFault): Status =>
  create(StatusSchema, {
    code: CODES[fault.reason],
    message: cut(fault.message, LONGEST_MESSAGE),
    details: detailsOf(fault).map(({ desc, value }) => anyPack(desc, create(desc, value))),
  });

/** The answer of a stream, and of a wait, that the end of the server cuts short. */
export const shuttingDown = (): ConnectError =>
  fromFault(
    new JobFault("SHUTTING_DOWN", "The server is shutting down. Please ask another, or again."),
  );

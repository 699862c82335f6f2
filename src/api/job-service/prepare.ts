import type { SubmitJobRequest } from "../../gen/millrace/v1/job_service_pb.ts";
import type { UserCaller } from "../../identity/caller.ts";
import { findOperationalUser } from "../../identity/operational-user.ts";
import type { Actor } from "../../jobs/audit.ts";
import { JobFault } from "../../jobs/errors.ts";
import type { Submission } from "../../jobs/submission.ts";
import { traceparentOf } from "../calls.ts";
import { toSubmission } from "../convert/submission.ts";
import { compileAhead } from "../convert/work.ts";
import { type BoundInput, UNBOUND } from "../convert/workflow-bindings.ts";
import { actorOf, type Call, type JobApi } from "./api.ts";
import { findTypedWork } from "./typed-work.ts";

/** What the checks of a submission need. */
export type PreparingApi = Pick<
  JobApi,
  "clock" | "newId" | "scripts" | "types" | "schemas" | "users" | "receivers"
>;

/** Who submits, and what the audit log keeps of it. */
export type Submitter = {
  readonly caller: UserCaller;
  readonly by: Actor;
  /** W3C Trace Context; empty if there is none. */
  readonly traceparent: string;
};

/** One submission to be prepared. */
export type Wanted = {
  readonly request: SubmitJobRequest;
  /** Its path in the caller's message, such as `requests[3].`. */
  readonly at: string;
  /** By an id that may have come before: what its type says to it is then for the owner to tell. */
  readonly named: boolean;
  readonly bound: BoundInput;
};

const wantedOf = (request: SubmitJobRequest, at: string): Wanted => ({
  request,
  at,
  named: request.requestId !== "" && !request.validateOnly,
  bound: UNBOUND,
});

/**
 * All checks of submissions, for calls, schedules and steps of workflows alike: one answer for each,
 * in their order. Faults are INVALID_ARGUMENT and NOT_SUPPORTED, with paths that begin with `at`, and
 * PERMISSION_DENIED, JOB_TYPE_NOT_FOUND, JOB_TYPE_DISABLED.
 */
export const prepareAllFor = async (
  api: PreparingApi,
  submitter: Submitter,
  wanted: readonly Wanted[],
): Promise<(Submission | JobFault)[]> => {
  const { scripts, newId, clock, users, receivers } = api;
  const { organizationId } = submitter.caller;
  const works = wanted.map(({ request: { spec }, bound }) => ({ spec, bound }));
  const [found, compile] = await Promise.all([
    findTypedWork(api, organizationId, works),
    compileAhead(
      works.flatMap(({ spec }) => (spec?.work.case === "script" ? [spec.work.value] : [])),
      async (source, language) => await scripts.compile(organizationId, source, language),
    ),
  ]);
  const prepareOne = async (
    { request, at, named }: Wanted,
    index: number,
  ): Promise<Submission | JobFault> => {
    try {
      const runAs = request.spec?.runAs ?? "";
      const operational = await findOperationalUser(users, submitter.caller, runAs);
      const typed = found[index] ?? null;
      const now = clock.now();
      const context = { ...submitter, operational, now, compile, newId, typed, receivers };
      return toSubmission(request, context, at, named);
    } catch (caught) {
      if (caught instanceof JobFault) return caught;
      throw caught;
    }
  };
  return await Promise.all(wanted.map(prepareOne));
};

/** @throws JobFault as `prepareAllFor` tells */
export const prepareFor = async (
  api: PreparingApi,
  submitter: Submitter,
  request: SubmitJobRequest,
  at = "",
): Promise<Submission> => {
  const [prepared] = await prepareAllFor(api, submitter, [wantedOf(request, at)]);
  if (prepared === undefined) throw new Error("a submission without an answer");
  if (prepared instanceof JobFault) throw prepared;
  return prepared;
};

export const submitterOf = (call: Call): Submitter => ({
  caller: call.caller,
  by: actorOf(call),
  traceparent: traceparentOf(call.context.requestHeader),
});

/** @throws JobFault as `prepareAll` tells */
export const prepare = async (
  call: Call,
  request: SubmitJobRequest,
  at = "",
): Promise<Submission> => await prepareFor(call.api, submitterOf(call), request, at);

/** One answer for each request, in their order. */
export const prepareAll = async (
  call: Call,
  requests: readonly SubmitJobRequest[],
  at: (index: number) => string,
): Promise<(Submission | JobFault)[]> =>
  await prepareAllFor(
    call.api,
    submitterOf(call),
    requests.map((request, index) => wantedOf(request, at(index))),
  );

import { JobFault } from "../../jobs/errors.ts";
import type { JobRow, RequestRow } from "../../jobs/job.ts";
import type { Submission } from "../../jobs/submission.ts";
import { born, bornHeld } from "../../jobs/transitions.ts";
import { whyNotAdmitted } from "../admission.ts";
import { bornOf, whyNoChild } from "../child.ts";
import { releaseOf } from "./attributes.ts";
import type { SubmitOutcome } from "../owner.ts";
import type { Turn } from "../turn.ts";
import type { Command } from "./command.ts";

/** Of a job without its payload. */
const ROW_BYTES = 1_000;

/** Takes in jobs; each is accepted or refused on its own. */
export const submit = (submissions: readonly Submission[]): Command<SubmitOutcome[]> => ({
  weight: submissions.length,
  bytes: submissions.reduce(
    (sum, { spec, script }) => sum + ROW_BYTES + spec.input.length + (script?.source.length ?? 0),
    0,
  ),
  want: (state, wanted) => {
    for (const { job, request, idIsChosen, deferred } of submissions) {
      const { organizationId, id } = job;
      if (state.organization(organizationId) === undefined) {
        wanted.organizations.push(organizationId);
      }
      if (idIsChosen) wanted.jobs.push({ organizationId, id });
      if (request !== null) {
        wanted.requests.push({ organizationId, requestId: request.requestId });
      }
      if (deferred && job.runAs !== "") wanted.attributes.push(releaseOf(job, job.runAs));
    }
  },
  apply: (turn) => submissions.map((submission) => takeIn(turn, submission)),
});

/** Takes in one job, or refuses it: then nothing has changed. */
export const takeIn = (turn: Turn, submission: Submission): SubmitOutcome =>
  repeated(turn, submission) ?? refused(turn, submission) ?? accepted(turn, submission);

/** The request that this one repeats; null if it is the first of its id, or has none. */
export const knownRequest = (
  turn: Turn,
  request: RequestRow | null,
): RequestRow | JobFault | null => {
  if (request === null) return null;
  const known = turn.request(request.organizationId, request.requestId);
  if (known === null || known.fingerprint === request.fingerprint) return known;
  return new JobFault(
    "REQUEST_ID_REUSED",
    "This request_id was used for a submission with other content. Choose a new one.",
    { metadata: { request_id: request.requestId } },
  );
};

/** The outcome of the submission that this one repeats; null if it is the first of its id. */
const repeated = (turn: Turn, { request }: Submission): SubmitOutcome | null => {
  const known = knownRequest(turn, request);
  if (known === null || known instanceof JobFault) return known;
  const row = turn.row(known.organizationId, known.jobId);
  if (row !== null) return { job: row, created: false };
  return new JobFault("JOB_NOT_FOUND", "The job of this request_id has been removed.", {
    metadata: { request_id: known.requestId },
  });
};

/** Why a job may not be taken in, together with `others`; null if it may. */
export const refused = (
  turn: Turn,
  { job, idIsChosen, refusal }: Submission,
  others = 0,
): JobFault | null => {
  if (refusal !== null) return refusal;
  const organization = turn.state.organization(job.organizationId);
  if (organization === undefined) {
    return new JobFault("INTERNAL", "The organization of this job could not be read.");
  }
  if (idIsChosen && turn.row(job.organizationId, job.id) !== null) {
    return new JobFault("JOB_ALREADY_EXISTS", `There is a job ${job.id} already.`, {
      metadata: { job_id: job.id },
    });
  }
  return whyNoChild(turn, job) ?? whyNotAdmitted(organization, job, others);
};

/**
 * Whether the job has to wait for its release. One that came before the job is used up here, in
 * the commit that makes the job: so it does not matter which of the two comes first.
 */
export const waitsForRelease = (turn: Turn, { job, deferred }: Submission): boolean => {
  if (!deferred || job.runAs === "") return false;
  const given = turn.attributes.find(releaseOf(job, job.runAs));
  if (given === null) return true;
  turn.attributes.remove(given);
  return false;
};

const accepted = (turn: Turn, submission: Submission): SubmitOutcome => {
  const { job, spec, script, request, by } = submission;
  const held = waitsForRelease(turn, submission);
  const row: JobRow = {
    ...job,
    ...(held ? bornHeld(turn.now) : born(job, turn.now)),
    ...bornOf(turn, job),
  };
  turn.audit(job.organizationId, {
    actor: by,
    action: "job.submit",
    subject: job.id,
    details: submission.deferred ? JSON.stringify({ deferred: true, held }) : null,
  });
  const active = turn.insert(row, spec);
  if (script !== null) turn.addScript(script);
  if (request !== null) turn.remember(request);
  return { job: active.row, created: true };
};

import type { JobId, OrganizationId, UserId } from "../../src/jobs/ids.ts";
import { SERVER } from "../../src/jobs/audit.ts";
import type { JobRow, RequestRow } from "../../src/jobs/job.ts";
import type { Submission } from "../../src/jobs/submission.ts";
import { aJobRow, aSpecRow } from "../support/job-row.ts";
import { someLabels } from "./hooks.ts";
import { TYPES } from "./operator.ts";
import { callbackUrlFor } from "./receivers.ts";
import type { World } from "./world.ts";

const HOUR = 3_600_000;
/** Attempts of jobs with such a timeout may hang: longer ones would fill a history with waiting. */
export const SHORT = 1_000;

/** The user whose actions are deferred. */
export const APPROVED = "approved" as UserId;

/** A job of any kind that clients submit. */
export const randomJob = (
  world: World,
  organizationId: OrganizationId,
  deferred: boolean,
): JobRow => {
  const { dice, now } = world;
  const id = world.uuid() as JobId;
  return aJobRow({
    organizationId,
    id,
    type: dice.chance(0.5) ? dice.pick(TYPES) : "",
    priority: dice.between(-1, 1),
    concurrencyKey: dice.chance(0.3) ? `key-${dice.between(1, 2)}` : "",
    concurrencyPolicy: dice.chance(0.5) ? "QUEUE" : "REJECT",
    attemptTimeoutMs: dice.chance(0.1) ? SHORT : HOUR,
    deadlineAt: dice.chance(0.1) ? now + dice.between(500, 20_000) : null,
    retryPolicy: {
      maxRetries: dice.between(0, 3),
      initialBackoffMs: 200,
      maxBackoffMs: 2_000,
      multiplier: 2,
      jitter: 0.2,
    },
    labels: someLabels(world),
    runAs: deferred ? APPROVED : "",
    ...(dice.chance(0.4)
      ? { callbackUrl: callbackUrlFor(world, id), callbackState: "PENDING" as const }
      : {}),
    runAt: dice.chance(0.2) ? now + dice.between(0, 5_000) : 0,
  });
};

/** The submission of a job, which that request names. */
export const asRequested = (
  job: JobRow,
  request: Pick<RequestRow, "requestId" | "fingerprint" | "createdAt">,
): Submission => {
  const { organizationId, id: jobId } = job;
  return {
    idIsChosen: false,
    job,
    spec: { ...aSpecRow(job), requestId: request.requestId },
    script: null,
    request: { organizationId, jobId, ...request },
    deferred: false,
    refusal: null,
    by: SERVER,
  };
};

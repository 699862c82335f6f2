import { isDeepStrictEqual } from "node:util";

import { shardOf } from "../../src/cluster/shard-of.ts";
import type { JobId, WorkflowId } from "../../src/jobs/ids.ts";
import { hasEnded } from "../../src/jobs/states.ts";
import { type DeliveryFilter, NOTHING_WANTED, type Store } from "../../src/store/store.ts";
import { faultOf } from "./broken.ts";
import type { Acknowledgements } from "./clients.ts";
import type { Ledger } from "./ledger.ts";
import type { Acknowledged } from "./runners.ts";
import { APPROVED } from "./random-job.ts";
import { missingSteps } from "./step-ledger.ts";

/** What must be true of the database when everything has come to rest. Answers what is not. */
export const checkEnd = async (facts: {
  readonly store: Store;
  readonly ledger: Ledger;
  readonly told: Acknowledgements;
  readonly acknowledged: readonly Acknowledged[];
}): Promise<string[]> => [
  ...(await storedAsCommitted(facts)),
  ...(await workflowsAreStored(facts)),
  ...facts.ledger.unfinished.left.map((id) => faultOf("everything comes to its end", { id })),
  ...(await nothingIsLeftOfRemovedJobs(facts)),
  ...nothingAcknowledgedIsLost(facts),
  ...(await releasesAreUsedUp(facts)),
  ...endingsAreKept(facts),
  ...(await stepsAreKept(facts)),
  ...jobsEndOnce(facts),
  ...(await facts.ledger.metrics.differences(facts.store)),
];

type Facts = Parameters<typeof checkEnd>[0];

const storedAsCommitted = async ({ store, ledger }: Facts): Promise<string[]> => {
  const faults: string[] = [];
  const shards = (await store.shards.list()).length;
  for (const row of ledger.jobs.values()) {
    const { organizationId, id } = row;
    const place = { organizationId, shardId: shardOf(organizationId, shards) };
    const stored = await store.jobs.find(place, id);
    if (JSON.stringify(stored) !== JSON.stringify(row)) {
      faults.push(faultOf("what is stored is what was committed", { stored, row }));
    }
  }
  return faults;
};

/** Workflows as they were committed, and nothing of those that were removed. */
const workflowsAreStored = async ({ store, ledger }: Facts): Promise<string[]> => {
  const faults: string[] = [];
  const shards = (await store.shards.list()).length;
  for (const [id, organizationId] of ledger.workflows.wereThere) {
    const shardId = shardOf(organizationId, shards);
    const wanted = { workflows: [{ organizationId, id: id as WorkflowId }] };
    const { workflows } = await store.shards.readCold(shardId, { ...NOTHING_WANTED, ...wanted });
    const row = ledger.workflows.workflows.get(id)?.row;
    const stored = workflows[0]?.workflow;
    if (!isDeepStrictEqual(stored, row)) {
      faults.push(faultOf("what is stored is what was committed", { stored, row }));
    }
  }
  return faults;
};

/** Neither the job nor any row that belonged to it, nor one whose time has come and that is there still. */
const nothingIsLeftOfRemovedJobs = async ({ store, ledger }: Facts): Promise<string[]> => {
  const faults: string[] = [];
  const shards = (await store.shards.list()).length;
  for (const { organizationId, id } of ledger.retention.purged.values()) {
    // It went in the last moments, and its rows follow.
    if (ledger.retention.retired.has(id)) continue;
    const place = { organizationId, shardId: shardOf(organizationId, shards) };
    const { specs, requests } = await store.shards.readCold(place.shardId, {
      ...NOTHING_WANTED,
      specs: [{ organizationId, id }],
      requests: [{ organizationId, requestId: `request-${id}` }],
    });
    const left = [
      ...((await store.jobs.find(place, id)) === null ? [] : ["the job"]),
      ...(await store.jobs.attempts(place, id)),
      ...(await store.jobs.output(place, id, 0, 10)),
      ...(await store.jobs.steps(place, id)),
      ...(await store.deliveries.list(place, notices(id), { before: null, limit: 10 })),
      ...specs,
      ...requests,
    ];
    if (left.length > 0) faults.push(faultOf("nothing is left of a removed job", { id, left }));
  }
  return faults;
};

const notices = (jobId: JobId): DeliveryFilter => ({
  of: { jobId },
  states: [],
  callbacksOnly: false,
});

const nothingAcknowledgedIsLost = ({ ledger, told }: Facts): string[] => {
  const faults: string[] = [];
  for (const [requestId, id] of told.submitted) {
    if (!ledger.jobs.has(id) && !ledger.retention.purged.has(id))
      faults.push(faultOf("what was acknowledged is not lost", { id, requestId }));
    if (requestId !== `request-${id}`)
      faults.push(faultOf("a request is one job", { id, requestId }));
  }
  for (const [requestId, id] of told.workflows) {
    if (requestId !== `request-${id}`) {
      faults.push(faultOf("a request is one job", { id, requestId }));
    }
    if (!ledger.workflows.wereThere.has(id)) {
      faults.push(faultOf("what was acknowledged is not lost", { id, requestId }));
    }
  }
  for (const id of told.cancelled) {
    const state = (ledger.jobs.get(id) ?? ledger.retention.purged.get(id))?.state;
    if (state !== "CANCELLED") {
      faults.push(faultOf("a cancellation that was acknowledged counts", { id, state }));
    }
  }
  return faults;
};

/** What is left of the releases: those of jobs that were never taken in, as the ledger saw it. */
const releasesAreUsedUp = async ({ store, ledger }: Facts): Promise<string[]> => {
  const shards = (await store.shards.list()).length;
  const places = [...new Set([...ledger.jobs.values()].map((row) => row.organizationId))].map(
    (organizationId) => ({ organizationId, shardId: shardOf(organizationId, shards) }),
  );
  const stored = await Promise.all(
    places.map(async (place) => await store.identity.attributes(place, APPROVED)),
  );
  const values = new Set(stored.flat().map(({ value }) => value));
  return [
    ...[...values]
      .filter((id) => ledger.jobs.has(id))
      .map((id) => faultOf("a release is used up by its job", { id })),
    ...[...ledger.releases.waiting]
      .filter((id) => ledger.jobs.has(id) && !values.has(id))
      .map((id) => faultOf("what was acknowledged is not lost", { release: id })),
  ];
};

/** An ending that a server acknowledged counts, unless a cancellation or the job's deadline came first. */
const endingsAreKept = ({ ledger, acknowledged }: Facts): string[] => {
  const faults: string[] = [];
  for (const { ref, ending } of acknowledged) {
    if (ledger.retention.purged.has(ref.jobId)) continue;
    const attempt = ledger.attempts.get(`${ref.jobId}/${ref.attempt}`);
    const deadline = ledger.jobs.get(ref.jobId)?.deadlineAt ?? Number.POSITIVE_INFINITY;
    const inTime = attempt !== undefined && attempt.endedAt < deadline;
    const expected = ending.kind === "succeeded" && inTime ? ending.result : null;
    if (attempt === undefined) faults.push(faultOf("an ending that was acknowledged counts", ref));
    else if (attempt.outcome !== "CANCELLED" && attempt.result !== expected) {
      faults.push(faultOf("an ending that was acknowledged counts", { ref, attempt }));
    }
  }
  return faults;
};

const stepsAreKept = async ({ store, ledger }: Facts): Promise<string[]> => {
  const faults: string[] = [];
  const shards = (await store.shards.list()).length;
  for (const id of ledger.steps.jobs()) {
    const organizationId = ledger.jobs.get(id)?.organizationId;
    if (organizationId === undefined) continue;
    const place = { organizationId, shardId: shardOf(organizationId, shards) };
    const lost = missingSteps(ledger.steps.acknowledged(id), await store.jobs.steps(place, id));
    if (lost.length > 0) faults.push(faultOf("a step that ended is not run again", { id, lost }));
  }
  return faults;
};

const jobsEndOnce = ({ ledger }: Facts): string[] => {
  const faults: string[] = [];
  for (const row of ledger.jobs.values()) {
    if (!hasEnded(row.state)) faults.push(faultOf("everything comes to its end", row));
    const successes = Array.from({ length: row.attempt }, (_, index) =>
      ledger.attempts.get(`${row.id}/${index + 1}`),
    ).filter((attempt) => attempt?.outcome === "SUCCEEDED").length;
    if (successes !== (row.state === "SUCCEEDED" ? 1 : 0)) {
      faults.push(faultOf("a job succeeds once", { id: row.id, state: row.state, successes }));
    }
  }
  return faults;
};

import { shardOf } from "../../src/cluster/shard-of.ts";
import { hasEnded } from "../../src/jobs/states.ts";
import { NOTHING_WANTED, type Store } from "../../src/store/store.ts";
import { APPROVED, type Acknowledgements } from "./clients.ts";
import type { Ledger } from "./ledger.ts";
import type { Acknowledged } from "./runners.ts";

/** What must be true of the database when everything has come to rest. Answers what is not. */
export const checkEnd = async (facts: {
  readonly store: Store;
  readonly ledger: Ledger;
  readonly told: Acknowledgements;
  readonly acknowledged: readonly Acknowledged[];
}): Promise<string[]> => [
  ...(await storedAsCommitted(facts)),
  ...(await nothingIsLeftOfRemovedJobs(facts)),
  ...nothingAcknowledgedIsLost(facts),
  ...(await releasesAreUsedUp(facts)),
  ...endingsAreKept(facts),
  ...jobsEndOnce(facts),
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
      faults.push(`${id} is stored as ${JSON.stringify(stored)}, not ${JSON.stringify(row)}`);
    }
  }
  return faults;
};

/** Neither the job nor any row that belonged to it, nor one whose time has come and that is there still. */
const nothingIsLeftOfRemovedJobs = async ({ store, ledger }: Facts): Promise<string[]> => {
  const faults: string[] = [];
  const shards = (await store.shards.list()).length;
  for (const { organizationId, id } of ledger.retention.purged.values()) {
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
      ...specs,
      ...requests,
    ];
    if (left.length > 0) faults.push(`of the removed ${id} is left: ${JSON.stringify(left)}`);
  }
  return faults;
};

const nothingAcknowledgedIsLost = ({ ledger, told }: Facts): string[] => {
  const faults: string[] = [];
  for (const [requestId, id] of told.submitted) {
    if (!ledger.jobs.has(id) && !ledger.retention.purged.has(id))
      faults.push(`${id} was acknowledged for ${requestId}, and is lost`);
    if (requestId !== `request-${id}`) faults.push(`${requestId} was answered with ${id}`);
  }
  for (const id of told.cancelled) {
    const state = (ledger.jobs.get(id) ?? ledger.retention.purged.get(id))?.state;
    if (state !== "CANCELLED") faults.push(`${id} was acknowledged as cancelled, and is ${state}`);
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
    ...[...values].filter((id) => ledger.jobs.has(id)).map((id) => `the release of ${id} is left`),
    ...[...ledger.releases.waiting]
      .filter((id) => ledger.jobs.has(id) && !values.has(id))
      .map((id) => `the release of ${id} is lost`),
  ];
};

/** An ending that a server acknowledged is the one that counts, unless a cancellation came first. */
const endingsAreKept = ({ ledger, acknowledged }: Facts): string[] => {
  const faults: string[] = [];
  for (const { ref, ending } of acknowledged) {
    if (ledger.retention.purged.has(ref.jobId)) continue;
    const attempt = ledger.attempts.get(`${ref.jobId}/${ref.attempt}`);
    const expected = ending.kind === "succeeded" ? ending.result : null;
    if (attempt === undefined) faults.push(`the ending of ${ref.jobId} was lost`);
    else if (attempt.outcome !== "CANCELLED" && attempt.result !== expected) {
      faults.push(`${ref.jobId} has the result of another attempt: ${attempt.result}`);
    }
  }
  return faults;
};

const jobsEndOnce = ({ ledger }: Facts): string[] => {
  const faults: string[] = [];
  for (const row of ledger.jobs.values()) {
    if (!hasEnded(row.state)) faults.push(`${row.id} has not ended: it is ${row.state}`);
    const successes = Array.from({ length: row.attempt }, (_, index) =>
      ledger.attempts.get(`${row.id}/${index + 1}`),
    ).filter((attempt) => attempt?.outcome === "SUCCEEDED").length;
    if (successes !== (row.state === "SUCCEEDED" ? 1 : 0)) {
      faults.push(`${row.id} is ${row.state} with ${successes} successful attempts`);
    }
  }
  return faults;
};

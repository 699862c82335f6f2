import type { DeliveryRow } from "../../src/jobs/delivery.ts";
import type { AttemptRow, JobRow } from "../../src/jobs/job.ts";
import { hasEnded } from "../../src/jobs/states.ts";
import { HOOK_DELETED } from "../../src/shard/commands/drop-deliveries.ts";
import type { ShardChanges } from "../../src/store/store.ts";
import { broken, faultOf } from "./broken.ts";

type Notice = {
  row: DeliveryRow;
  /** Messages that arrived. */
  sent: number;
  /** The receiver said 2xx, whether anybody heard it or not. */
  wasTaken: boolean;
  wasRefusedForGood: boolean;
};

/** `id` of a job; none in what is told of a number. */
type Told = { type: string; data: { id?: string; result?: unknown } };

/**
 * Notices, commit by commit and message by message: what is owed is written with the end that it
 * tells, is sent under one id until somebody takes it, and nothing else is sent.
 */
export class DeliveryLedger {
  readonly #notices = new Map<string, Notice>();
  /** Notices that went with their jobs. */
  readonly purged = new Set<string>();

  /** Before the jobs of the commit are taken in. */
  committed(
    { inserted, updated, deliveries, purgedDeliveries }: ShardChanges,
    jobs: ReadonlyMap<string, JobRow>,
  ): void {
    const fresh = deliveries.filter(({ id, hookId }) => hookId === "" && !this.#notices.has(id));
    const owed = Map.groupBy(fresh, ({ jobId }) => jobId);
    for (const row of [...inserted, ...updated]) {
      if (!endsNow(row, jobs.get(row.id))) continue;
      const notices = owed.get(row.id) ?? [];
      owed.delete(row.id);
      if (notices.length !== 1) {
        broken("an end with a callback owes one notice", { id: row.id, notices: notices.length });
      }
    }
    for (const [jobId] of owed) broken("no notice is sent that is not owed", { jobId });
    for (const row of deliveries) this.#see(row);
    for (const { id } of purgedDeliveries) {
      this.#notices.delete(id);
      this.purged.add(id);
    }
  }

  #see(row: DeliveryRow): void {
    const known = this.#notices.get(row.id);
    if (row.state === "DELIVERED" && row.jobType === "" && known?.wasTaken !== true) {
      broken("a notice is delivered only after a 2xx", { id: row.id });
    }
    const isDropped = row.hookId !== "" && row.lastError === HOOK_DELETED;
    if (row.state === "FAILED" && !isDropped && known?.wasRefusedForGood !== true) {
      broken("every notice that is owed is sent", { id: row.id, tries: row.tries });
    }
    if (known === undefined) {
      this.#notices.set(row.id, { row, sent: 0, wasTaken: false, wasRefusedForGood: false });
    } else {
      known.row = row;
    }
  }

  /** A message arrived. `attempts` as they stand in the database. */
  arrived(id: string, body: string, attempts: ReadonlyMap<string, AttemptRow>): DeliveryRow | null {
    const notice = this.#notices.get(id);
    if (notice === undefined) {
      // Its last try may have been on its way while it was removed.
      if (!this.purged.has(id)) broken("no notice is sent that is not owed", { id });
      return null;
    }
    notice.sent += 1;
    const { row } = notice;
    const told = JSON.parse(body) as Told;
    const { result = null, id: jobId = "" } = told.data;
    const attempt = attempts.get(`${row.jobId}/${row.attempt}`);
    // Of a job that was removed there is nothing to compare with; its result may be left out.
    const isSame =
      attempt === undefined || result === null || JSON.stringify(result) === attempt.result;
    if (told.type !== row.event || jobId !== row.jobId || !isSame) {
      broken("no notice is sent that is not owed", { id, told });
    }
    return row;
  }

  answered(id: string, status: number): void {
    const notice = this.#notices.get(id);
    if (notice === undefined) return;
    if (status === 200) notice.wasTaken = true;
    if (status === 410) notice.wasRefusedForGood = true;
  }

  pending(): DeliveryRow[] {
    return [...this.#notices.values()]
      .map(({ row }) => row)
      .filter(({ state }) => state === "PENDING");
  }

  /** When everything has come to rest. */
  differences(jobs: ReadonlyMap<string, JobRow>): string[] {
    const faults: string[] = [];
    for (const { row, sent } of this.#notices.values()) {
      const isSent = row.jobType === "" && row.lastError !== HOOK_DELETED;
      if (isSent && sent === 0)
        faults.push(faultOf("every notice that is owed is sent", { id: row.id }));
      const job = jobs.get(row.jobId);
      if (row.hookId !== "" || job?.endedAt !== row.createdAt || job.callbackState === row.state)
        continue;
      faults.push(faultOf("a job shows what became of its notice", { job, state: row.state }));
    }
    return faults;
  }
}

/** It ended in this commit, and owes a notice for it. */
const endsNow = (row: JobRow, before: JobRow | undefined): boolean =>
  row.callbackUrl !== "" && hasEnded(row.state) && before?.endedAt !== row.endedAt;

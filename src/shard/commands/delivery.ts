/** What the owner of a shard writes down of the notices that were sent. */
import type { Actor } from "../../jobs/audit.ts";
import { nextDeliveryAt } from "../../jobs/delivery-schedule.ts";
import type { DeliveryRow, DeliveryTryRow } from "../../jobs/delivery.ts";
import { deliveryNotFound, type JobFault } from "../../jobs/errors.ts";
import { type CallbackState, isPurgeTime, type Millis, REMOVED } from "../../jobs/job.ts";
import { JOB_ORIGIN, originOfUrl } from "../../jobs/notice.ts";
import type { DeliveryKey } from "../../store/store.ts";
import { hookOutcome } from "../notices/hook-health.ts";
import type { ShardState } from "../state.ts";
import type { Turn } from "../turn.ts";
import type { Command, Wanted } from "./command.ts";

/** What became of one try. */
export type Outcome = Pick<DeliveryTryRow, "startedAt" | "durationMs" | "status" | "error"> & {
  /** `gone`: no other try is wanted. */
  readonly verdict: "delivered" | "failed" | "gone";
  /** The receiver asked for no other try before this. */
  readonly notBefore: Millis | null;
};

export type Tried = Outcome & {
  /** As it was read. */
  readonly delivery: DeliveryRow;
};

/** What the column holds, in characters. */
const ERROR_LENGTH = 1_000;

/** For every command that ends a notice. */
export const wantDelivery = (
  state: ShardState,
  wanted: Wanted,
  { organizationId, id, jobId }: Pick<DeliveryRow, "organizationId" | "id" | "jobId">,
): void => {
  wanted.deliveries.push({ organizationId, id });
  if (jobId !== "" && state.find(organizationId, jobId) === undefined) {
    wanted.jobs.push({ organizationId, id: jobId });
  }
  if (state.organization(organizationId) === undefined) wanted.organizations.push(organizationId);
};

/**
 * One try, and what follows from it. A try of a notice that has ended meanwhile is kept, and changes
 * nothing else; one of a notice that is gone is forgotten.
 */
export const recordTry = (tried: Tried): Command<void> => ({
  weight: 3,
  bytes: 0,
  want: (state, wanted) => {
    wantDelivery(state, wanted, tried.delivery);
  },
  apply: (turn) => {
    const found = turn.notices.delivery(tried.delivery);
    if (found !== null) writeTry(turn, found, tried);
  },
});

/** One more try of a notice, whose job and organization have to be known to the turn. */
export const writeTry = (turn: Turn, found: DeliveryRow, tried: Outcome): void => {
  const { organizationId, id } = found;
  const { startedAt, durationMs, status } = tried;
  const error = tried.error.slice(0, ERROR_LENGTH);
  const row = { ...found, tries: found.tries + 1 };
  turn.notices.addTry({
    ...{ organizationId, deliveryId: id, try: row.tries },
    ...{ startedAt, durationMs, status, error },
  });
  if (row.state !== "PENDING") {
    turn.notices.put(row);
    return;
  }
  const scheduleTries = row.scheduleTries + 1;
  const nextTryAt =
    tried.verdict === "failed"
      ? nextDeliveryAt(scheduleTries, turn.now, turn.random(), tried.notBefore)
      : null;
  const after = { ...row, scheduleTries, nextTryAt, lastError: error };
  if (nextTryAt !== null) turn.notices.put(after);
  else endDelivery(turn, after, tried.verdict === "delivered" ? "DELIVERED" : "FAILED");
};

/** The notice is delivered, or given up. Its job and its organization have to be known to the turn. */
export const endDelivery = (
  turn: Turn,
  row: DeliveryRow,
  state: "DELIVERED" | "FAILED",
): DeliveryRow => {
  const ended = turn.notices.put({
    ...row,
    state,
    origin: "",
    nextTryAt: null,
    endedAt: turn.now,
    purgeAt: purgeTime(turn, row),
  });
  tellJob(turn, row, state);
  if (row.hookId !== "") hookOutcome(turn, ended, state === "DELIVERED");
  return ended;
};

/**
 * With its job, or as long as the organization keeps its jobs: also if that time is not known yet,
 * because the job lives again or is kept with its workflow.
 */
const purgeTime = (turn: Turn, { organizationId, jobId }: DeliveryRow): Millis => {
  const kept = turn.state.organization(organizationId)?.limits.retentionMs ?? 0;
  if (jobId === "") return turn.now + kept;
  const job = turn.row(organizationId, jobId);
  if (job === null) return turn.now;
  return isPurgeTime(job.purgeAt) ? job.purgeAt : turn.now + kept;
};

/** A job shows where the notice of its newest end stands. */
const tellJob = (turn: Turn, delivery: DeliveryRow, callbackState: CallbackState): void => {
  const { organizationId, jobId, hookId, createdAt } = delivery;
  if (jobId === "" || hookId !== "") return;
  const job = turn.row(organizationId, jobId);
  if (job === null || job.endedAt !== createdAt || job.callbackState === callbackState) return;
  if (job.purgeAt === REMOVED) return;
  turn.amend(job, { callbackState });
};

/** Sends it again, from the beginning of the schedule. Refuses with DELIVERY_NOT_FOUND. */
export const redeliver = (read: DeliveryRow, by: Actor): Command<DeliveryRow | JobFault> => ({
  weight: 2,
  bytes: 0,
  want: (state, wanted) => {
    wantDelivery(state, wanted, read);
  },
  apply: (turn) => {
    const row = turn.notices.delivery(read);
    if (row === null) return deliveryNotFound(read.id);
    turn.audit(row.organizationId, {
      actor: by,
      action: "delivery.redeliver",
      subject: row.id,
      details: null,
    });
    tellJob(turn, row, "PENDING");
    return turn.notices.put({
      ...row,
      state: "PENDING",
      origin: row.url === "" ? JOB_ORIGIN : originOfUrl(row.url),
      scheduleTries: 0,
      nextTryAt: turn.now,
      endedAt: null,
      purgeAt: null,
    });
  },
});

/** Removes ended deliveries whose time has come. Answers with how many. */
export const purgeDeliveries = (keys: readonly DeliveryKey[]): Command<number> => ({
  weight: keys.length * 2,
  bytes: 0,
  want: (_state, wanted) => {
    wanted.deliveries.push(...keys);
  },
  apply: (turn) => {
    const due = keys.filter((key) => {
      const row = turn.notices.delivery(key);
      return row !== null && row.purgeAt !== null && row.purgeAt <= turn.now;
    });
    for (const { organizationId, id } of due) turn.notices.purge({ organizationId, id });
    return due.length;
  },
});

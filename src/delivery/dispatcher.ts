import type { DeliveryRow } from "../jobs/delivery.ts";
import { TEST_EVENT } from "../jobs/hook-notice.ts";
import type { Millis } from "../jobs/job.ts";
import { type Clock, sleep } from "../runtime/clock.ts";
import { every } from "../runtime/every.ts";
import type { Service } from "../runtime/lifecycle.ts";
import type { Log } from "../runtime/log.ts";
import type { DeliveryStore, Receiver, ShardId } from "../store/store.ts";
import { type Grant, type LineLimits, Lines } from "./lines.ts";
import { createOverdue } from "./overdue.ts";

/** How often the shards of this server are looked over. */
const ROUND_MS = 1_000;
/**
 * Receivers are found by commits as they happen, and by looking through those of a shard: when it is
 * new here, and now and then, for a replica that lags may have hidden one.
 */
const LOOK_EVERY_MS = 120_000;
/** What is due later is found by a later look. */
const HORIZON_MS = 2 * LOOK_EVERY_MS;
/** Of one look, between which others have their turn. */
const RECEIVERS = 100;
/** After trouble of our own. */
const AGAIN_MS = 1_000;

export type DispatcherOptions = {
  readonly store: Pick<DeliveryStore, "receivers" | "waiting">;
  /** The shards that this server owns now. */
  readonly owned: () => readonly ShardId[];
  /**
   * Tries once, and has what came of it written down. Answers whether the receiver said anything.
   * @throws what is no fault of the receiver: the same is tried again
   */
  readonly attempt: (delivery: DeliveryRow, signal: AbortSignal) => Promise<boolean>;
  /** Has written down that these had their turn while their receiver answered nobody. */
  readonly passOver: (receiver: Receiver, deliveries: readonly DeliveryRow[]) => Promise<void>;
  readonly limits: LineLimits;
  /** How long what is under way may go on once it is stopped. */
  readonly drainMs: number;
  readonly clock: Clock;
  readonly log: Log;
};

export type Dispatcher = Service & {
  /** These were committed in that shard. */
  noticed(shardId: ShardId, deliveries: readonly DeliveryRow[]): void;
  /** Since when the notice that is most overdue waits for its try; null if none is due. */
  dueSince(): Millis | null;
};

/** Somebody sent it again, or tests a hook, and wants to see what comes of it. */
const isOrderedByHand = ({ event, scheduleTries, tries }: DeliveryRow): boolean =>
  scheduleTries === 0 && (tries > 0 || event === TEST_EVENT);

/**
 * Sends the notices of the shards that this server owns. Keeps which receivers have some, and what is
 * under way; the notices stand in the database, and of each receiver only as many are read as there
 * are places for. What is lost with the server is sent again by the next, under the same id.
 */
export const createDispatcher = (options: DispatcherOptions): Dispatcher => {
  const { store, owned, attempt, passOver, limits, drainMs, clock, log } = options;
  const lines = new Lines(limits);
  const passOverdue = createOverdue({
    store,
    passOver,
    clock,
    isStopped: () => state === "stopped",
  });
  const stopping = new AbortController();
  const underWay = new Set<Promise<void>>();
  const lookedAt = new Map<ShardId, Millis>();
  let state: "new" | "serving" | "stopped" = "new";
  let timer: { readonly at: Millis; readonly cancel: () => void } | null = null;

  const expect = (shardId: ShardId, receiver: Receiver, at: Millis): void => {
    if (at < clock.now() + HORIZON_MS) lines.expect(shardId, receiver, at);
  };

  const keepTrack = (work: Promise<void>): void => {
    const tracked = work.finally(() => underWay.delete(tracked));
    underWay.add(tracked);
  };

  const send = async (grant: Grant, delivery: DeliveryRow): Promise<void> => {
    const { shardId, receiver } = grant.line;
    try {
      const didAnswer = await attempt(delivery, stopping.signal);
      lines.answered(grant, didAnswer, clock.now());
      if (!didAnswer) await passOverdue(grant.line);
    } catch (error) {
      const { organizationId: organization_id, jobId: job_id, id } = delivery;
      if (!stopping.signal.aborted) {
        const facts = { err: error, organization_id, job_id, delivery_id: id };
        log.warn(facts, "a notice is tried again");
      }
      expect(shardId, receiver, clock.now() + AGAIN_MS);
    }
    lines.done(grant, delivery.id);
    pump();
  };

  /** Reads as many as there are places, and one more, which tells when the line is due again. */
  const serve = async (grant: Grant): Promise<void> => {
    const { line, room } = grant;
    let due: readonly DeliveryRow[] = [];
    let nextAt = Number.POSITIVE_INFINITY;
    try {
      const { shardId, receiver, sending } = line;
      const found = await store.waiting(shardId, receiver, [...sending], room + 1);
      const now = clock.now();
      due = found.filter(({ nextTryAt }) => nextTryAt !== null && nextTryAt <= now).slice(0, room);
      const next = found[due.length]?.nextTryAt ?? Number.POSITIVE_INFINITY;
      if (next < now + HORIZON_MS) nextAt = next;
    } catch (error) {
      log.warn({ error, shard: line.shardId }, "notices could not be read; they are read again");
      nextAt = clock.now() + AGAIN_MS;
    }
    if (state === "stopped") due = [];
    lines.looked(
      grant,
      due.map(({ id }) => id),
      nextAt,
    );
    for (const delivery of due) keepTrack(send(grant, delivery));
    pump();
  };

  const pump = (): void => {
    if (state !== "serving") return;
    for (let grant = lines.next(clock.now()); grant !== null; grant = lines.next(clock.now())) {
      keepTrack(serve(grant));
    }
    const at = lines.wakesAt();
    if (timer?.at === at) return;
    timer?.cancel();
    timer = null;
    if (at === Number.POSITIVE_INFINITY) return;
    const cancel = clock.after(at - clock.now(), () => {
      timer = null;
      pump();
    });
    timer = { at, cancel };
  };

  const look = async (shardId: ShardId): Promise<void> => {
    let after: Receiver | null = null;
    do {
      const found: Awaited<ReturnType<DeliveryStore["receivers"]>> = await store.receivers(
        shardId,
        after,
        RECEIVERS,
      );
      for (const { nextTryAt, ...receiver } of found) expect(shardId, receiver, nextTryAt);
      pump();
      after = found.length < RECEIVERS || state === "stopped" ? null : (found.at(-1) ?? null);
    } while (after !== null);
  };

  const round = async (): Promise<void> => {
    const shards = new Set(owned());
    lines.keepOnly(shards);
    for (const shardId of lookedAt.keys()) if (!shards.has(shardId)) lookedAt.delete(shardId);
    for (const shardId of shards) {
      const last = lookedAt.get(shardId) ?? Number.NEGATIVE_INFINITY;
      if (clock.now() - last < LOOK_EVERY_MS) continue;
      await look(shardId);
      lookedAt.set(shardId, clock.now());
    }
  };
  const rounds = every({ clock, log, name: "sending of notices", ms: ROUND_MS, run: round });

  const stop = async (): Promise<void> => {
    state = "stopped";
    timer?.cancel();
    await rounds.stop();
    const settled = (async (): Promise<void> => {
      while (underWay.size > 0) await Promise.allSettled(underWay);
    })();
    const enough = new AbortController();
    await Promise.race([settled, sleep(clock, drainMs, enough.signal).catch(() => {})]);
    enough.abort();
    // What is cut off now is written down nowhere: the next owner sends it again.
    stopping.abort(new Error("the server stops"));
    await settled;
  };
  let stopped: Promise<void> | undefined;

  return {
    start: async () => {
      state = "serving";
      await round().catch((error: unknown) => {
        log.warn({ error }, "notices could not be looked for; that is tried again");
      });
      rounds.start();
    },
    stop: async () => {
      stopped ??= stop();
      await stopped;
    },
    noticed: (shardId, deliveries) => {
      for (const delivery of deliveries) {
        const { nextTryAt, origin, organizationId } = delivery;
        const receiver = { origin, organizationId };
        if (isOrderedByHand(delivery)) lines.askAgain(shardId, receiver);
        if (nextTryAt !== null) expect(shardId, receiver, nextTryAt);
      }
      if (deliveries.length > 0) pump();
    },
    dueSince: () => lines.dueSince(clock.now()),
  };
};

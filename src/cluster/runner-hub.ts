import type { Capability, RunnerId } from "../jobs/ids.ts";
import type { AttemptRef } from "../jobs/report.ts";
import { RUNNER_LOST_AFTER_MS } from "../jobs/limits.ts";
import type { Clock } from "../runtime/clock.ts";
import type { Log } from "../runtime/log.ts";
import type { ShardActor } from "../shard/actor.ts";
import type { Handout } from "../shard/handout.ts";
import type { RunnerHub, SyncAnswer, SyncRequest } from "../shard/owner.ts";
import type { Slots } from "../shard/slots.ts";
import type { ShardId } from "../store/store.ts";
import { type Held, RunnerSession } from "./runner-session.ts";

/** How long a call lasts. Those who hold attempts are to tell more often which. */
const IDLE_CALL_MS = 5_000;
const BUSY_CALL_MS = 2_000;
/** Silent runners are looked for every second. */
const DEAF_AFTER_MS = 3_000;

const NO_NEWS: SyncAnswer = { assignments: [], cancellations: [], lost: [] };

export type HubOptions = {
  readonly slots: Slots;
  readonly clock: Clock;
  readonly log: Log;
  readonly shardOf: (ref: AttemptRef) => ShardId;
  readonly actors: () => ReadonlyMap<ShardId, ShardActor>;
  /** Slots were announced: shards may want them. */
  readonly slotsMoved: () => void;
};

/**
 * The runners of this server: when each was heard of, and what it is still to be told. Nothing
 * here is durable. What a lost answer held is found again by comparing lists (reconcile), and a
 * runner that was never heard of again is lost after 15 s.
 */
export class ServerRunnerHub implements RunnerHub {
  readonly #options: HubOptions;
  readonly #sessions = new Map<RunnerId, RunnerSession>();
  #listenedAt: number;

  constructor(options: HubOptions) {
    this.#options = options;
    this.#listenedAt = options.clock.monotonic();
  }

  async *sync(request: SyncRequest, signal: AbortSignal): AsyncGenerator<SyncAnswer> {
    signal.throwIfAborted();
    const { clock, slots } = this.#options;
    const { runnerId, attempts, immediate } = request;
    const session = this.#session(runnerId);
    const call = session.begin();
    const offer = (count: number): void => {
      slots.announce(runnerId, request.capabilities as Capability[], count);
    };
    // Its newest call broke: whether it lives is open, so nothing new goes there until it calls
    // again. What it holds it keeps until it is lost. Heard here, because a generator that waits for
    // a client who is gone is never resumed.
    const broke = (): void => {
      if (session.isNewest(call)) offer(0);
    };
    signal.addEventListener("abort", broke, { once: true });
    const until = clock.monotonic() + (attempts.length > 0 ? BUSY_CALL_MS : IDLE_CALL_MS);
    session.lastSeen = clock.monotonic();
    offer(request.slots);
    this.#options.slotsMoved();
    await this.#reconcile(session, attempts);
    signal.throwIfAborted();
    // That may have taken long, by no fault of the runner, which cannot call meanwhile.
    session.lastSeen = clock.monotonic();
    yield session.isNewest(call) ? session.takeAll(clock.monotonic()) : NO_NEWS;
    while (!immediate && session.isNewest(call) && clock.monotonic() < until) {
      await session.arrival(clock, until - clock.monotonic(), signal);
      signal.throwIfAborted();
      if (session.isNewest(call) && session.hasNews) yield session.takeAll(clock.monotonic());
    }
    session.lastSeen = clock.monotonic();
    signal.removeEventListener("abort", broke);
  }

  handOut({ assignments, cancellations }: Handout): void {
    for (const { runnerId, assignment } of assignments) {
      this.#session(runnerId).assign(assignment);
    }
    for (const { runnerId, ref } of cancellations) this.#session(runnerId).cancel(ref);
  }

  /** An attempt of that runner is not ready yet. One that is lost meanwhile gets nothing. */
  hold(runnerId: RunnerId, ref: AttemptRef): Held {
    return this.#session(runnerId).hold(ref);
  }

  /** Attempts are known to run there: if the runner is not heard of in time, it is lost. */
  expect(ids: Iterable<RunnerId>): void {
    for (const id of ids) this.#session(id).lastSeen = this.#options.clock.monotonic();
  }

  /** Gives up the runners that were silent for too long. Called every second. */
  async loseSilent(): Promise<void> {
    const { clock, slots, actors, log } = this.#options;
    const now = clock.monotonic();
    const silence = now - this.#listenedAt;
    this.#listenedAt = now;
    // This process itself stood still: the calls of the runners are still to be read.
    if (silence > DEAF_AFTER_MS) return;
    const latest = now - RUNNER_LOST_AFTER_MS;
    for (const [id, session] of [...this.#sessions]) {
      if (session.lastSeen > latest) continue;
      const losers = [...actors().values()].filter((actor) => actor.uses(id));
      if (losers.length > 0) log.warn({ runner: id }, "a runner is lost; its attempts move on");
      this.#sessions.delete(id);
      slots.withdraw(id);
      const answers = losers.map(async (actor) => await actor.loseRunner(id));
      const failed = (await Promise.allSettled(answers)).filter(isRejected);
      if (failed.length === 0) continue;
      // Still as silent: whoever serves those attempts by the next time is asked then.
      if (!this.#sessions.has(id)) this.#sessions.set(id, session);
      log.warn({ runner: id, error: failed[0]?.reason as unknown }, "a shard kept a lost runner");
    }
  }

  #session(id: RunnerId): RunnerSession {
    const known = this.#sessions.get(id);
    if (known !== undefined) return known;
    const session = new RunnerSession(id, this.#options.clock.monotonic());
    this.#sessions.set(id, session);
    return session;
  }

  async #reconcile(session: RunnerSession, held: readonly AttemptRef[]): Promise<void> {
    const onTheirWay = session.onTheirWay(this.#options.clock.monotonic());
    const byShard = new Map<ShardId, AttemptRef[]>();
    for (const ref of held) {
      const shardId = this.#options.shardOf(ref);
      const refs = byShard.get(shardId);
      if (refs === undefined) byShard.set(shardId, [ref]);
      else refs.push(ref);
    }
    const answers = [...this.#options.actors()]
      .filter(([shardId, actor]) => byShard.has(shardId) || actor.uses(session.id))
      .map(async ([shardId, actor]) => {
        const { lost, cancellations } = await actor.reconcile(
          session.id,
          byShard.get(shardId) ?? [],
          onTheirWay,
        );
        for (const ref of lost) session.lose(ref);
        for (const ref of cancellations) session.cancel(ref);
      });
    // A shard that moves while it is asked says nothing about its attempts: they stay as they are.
    for (const { reason } of (await Promise.allSettled(answers)).filter(isRejected)) {
      this.#options.log.debug({ error: reason as unknown }, "a shard could not be reconciled");
    }
  }
}

const isRejected = (result: PromiseSettledResult<void>): result is PromiseRejectedResult =>
  result.status === "rejected";

import { JobFault } from "../jobs/errors.ts";
import type { JobId, OrganizationId, RunnerId } from "../jobs/ids.ts";
import type { JobRow } from "../jobs/job.ts";
import type { AttemptReport } from "../jobs/report.ts";
import type { Submission } from "../jobs/submission.ts";
import { sleep } from "../runtime/clock.ts";
import type { Log } from "../runtime/log.ts";
import { Deposed } from "../store/store.ts";
import { cancel } from "./commands/cancel.ts";
import { loseRunner } from "./commands/clockwork.ts";
import type { Command } from "./commands/command.ts";
import { reconcile, type Reconciled } from "./commands/reconcile.ts";
import { report } from "./commands/report.ts";
import { retry } from "./commands/retry.ts";
import { submit } from "./commands/submit.ts";
import { ShardFeed } from "./feed.ts";
import type { Told } from "./handout.ts";
import { stateOf } from "./load.ts";
import { Mailbox, type Letter } from "./mailbox.ts";
import type { ShardStats } from "./observer.ts";
import type { ReportOutcome, ShardOwner, SubmitOutcome } from "./owner.ts";
import { orThrow, overloaded, unavailable } from "./refusals.ts";
import { ShardState } from "./state.ts";
import { statsOf } from "./stats.ts";
import {
  commitTurn,
  decide,
  keepSpecs,
  observeTurn,
  type Decided,
  type TurnTools,
} from "./take-turn.ts";

/** Rows of one commit: more would make it longer without making a row cheaper. */
const BATCH = 1_000;
const BUSY = 100;
/** By its last failure a command has been alone in its batch, and is refused. */
const MAX_FAILURES = 4;
const RELOAD_RETRY_MS = 250;
const SWEEP_EVERY_MS = 1_000;

export type ActorOptions = TurnTools & {
  readonly log: Log;
  /** Resolves when all commands that are on their way into the mailbox have arrived. */
  readonly gather: () => Promise<void>;
  /** Tells the runners, and whoever sends notices, what was committed for them. */
  readonly handOut: (handout: Told) => void;
  /** Slots were freed or left over: other shards may want them. */
  readonly slotsMoved: () => void;
  /** These runners hold attempts of this shard: watch whether they live. */
  readonly expectRunners: (ids: Iterable<RunnerId>) => void;
};

/**
 * The owner of one shard. It alone holds the shard's state, and one loop changes it: take a batch
 * of commands, apply them, place jobs on slots, commit, and only then answer, hand out and
 * publish. Commands that arrive meanwhile gather for the next turn. Nothing but the database
 * survives a crash, and nothing has to: whenever a turn fails, the state is thrown away and loaded
 * anew.
 */
export class ShardActor implements ShardOwner {
  readonly #options: ActorOptions;
  readonly #mailbox = new Mailbox();
  readonly feed = new ShardFeed();
  readonly #stopping = new AbortController();
  #state = new ShardState();
  #revision = 0;
  #batch = BATCH;
  #poked = false;
  #wake: (() => void) | null = null;
  #timer: { readonly at: number; readonly cancel: () => void } | null = null;
  #sweepAt = 0;
  #failuresInARow = 0;

  constructor(options: ActorOptions) {
    this.#options = options;
  }

  async submit(submissions: readonly Submission[]): Promise<SubmitOutcome[]> {
    return await this.perform(submit(submissions));
  }

  async cancel(
    organizationId: OrganizationId,
    id: JobId,
    request: Parameters<typeof cancel>[2],
  ): Promise<JobRow> {
    return orThrow(await this.perform(cancel(organizationId, id, request)));
  }

  async retry(...asked: Parameters<typeof retry>): Promise<JobRow> {
    return orThrow(await this.perform(retry(...asked)));
  }

  async report(reports: readonly AttemptReport[]): Promise<ReportOutcome[]> {
    return await this.perform(report(reports));
  }

  async reconcile(...asked: Parameters<typeof reconcile>): Promise<Reconciled> {
    return await this.perform(reconcile(...asked));
  }

  async loseRunner(runnerId: RunnerId): Promise<void> {
    await this.perform(loseRunner(runnerId));
  }

  /** Whether attempts of this shard run there. */
  uses(runnerId: RunnerId): boolean {
    return this.#state.runners.has(runnerId);
  }

  /** There may be a slot now: take a turn even without commands. */
  poke(): void {
    this.#poked = true;
    this.#wake?.();
  }

  stats(): ShardStats {
    return statsOf(this.#options.fence.shardId, this.#state);
  }

  /** Callers wait for more than the turn under way: what is in no hurry comes later. */
  get isBusy(): boolean {
    return this.#mailbox.length > BUSY;
  }

  /** Reads the shard into memory. @throws Deposed, or whatever the store throws */
  async load(): Promise<void> {
    const { store, fence, slots, expectRunners } = this.#options;
    slots.forget(fence.shardId);
    // Nothing of it is true any more, and there would not be room for two of a large one.
    this.#state = new ShardState();
    const snapshot = await store.load(fence.shardId);
    if (snapshot.epoch !== fence.epoch) throw new Deposed(fence);
    this.#state = await stateOf(snapshot, this.#options.gather);
    this.#revision = snapshot.revision;
    for (const [runnerId, jobs] of this.#state.runners) {
      for (let count = 0; count < jobs.size; count += 1) slots.use(fence.shardId, runnerId, 1);
    }
    expectRunners(this.#state.runners.keys());
    this.poke();
  }

  /** Serves until it is stopped or deposed; `load` comes first. Never throws. */
  async run(): Promise<"stopped" | "deposed"> {
    const { signal } = this.#stopping;
    let deposed = false;
    while (!deposed && !signal.aborted) {
      await this.#reasonToTurn();
      // A commit on SQLite blocks the process: without this each would carry a single command,
      // and requests that wait to be read would pay for one commit each.
      await this.#options.gather();
      if (!signal.aborted) deposed = !(await this.#turn());
    }
    this.#shutDown();
    return deposed ? "deposed" : "stopped";
  }

  /** Ends the loop after the turn under way; what still waits is refused as unavailable. */
  stop(): void {
    this.#stopping.abort();
    this.#wake?.();
  }

  #shutDown(): void {
    this.#stopping.abort();
    this.#timer?.cancel();
    this.#options.slots.forget(this.#options.fence.shardId);
    for (const letter of this.#mailbox.takeAll()) letter.reject(unavailable());
    this.feed.close();
  }

  async perform<Outcome>(command: Command<Outcome>): Promise<Outcome> {
    if (this.#stopping.signal.aborted) throw unavailable();
    if (command.bytes > 0 && this.#mailbox.isFull) throw overloaded();
    const origin = this.#options.observer.origin();
    return await new Promise<Outcome>((answer, reject) => {
      const resolve = answer as (outcome: unknown) => void;
      this.#mailbox.put({ command, resolve, reject, origin, failures: 0 });
      this.#wake?.();
    });
  }

  async #reasonToTurn(): Promise<void> {
    const { clock } = this.#options;
    const at = Math.min(
      this.#state.wakesAt(),
      this.#state.runners.size > 0 ? this.#sweepAt : Number.POSITIVE_INFINITY,
    );
    if (this.#poked || !this.#mailbox.isEmpty || at <= clock.now()) return;
    if (this.#timer?.at !== at) {
      this.#timer?.cancel();
      this.#timer = { at, cancel: this.#timeout(at) };
    }
    await new Promise<void>((resolve) => {
      this.#wake = resolve;
    });
    this.#wake = null;
  }

  #timeout(at: number): () => void {
    if (at === Number.POSITIVE_INFINITY) return () => {};
    const { clock } = this.#options;
    return clock.after(at - clock.now(), () => {
      this.#timer = null;
      this.poke();
    });
  }

  /** One batch, to its commit. False when another server owns the shard now. */
  async #turn(): Promise<boolean> {
    this.#poked = false;
    const now = this.#options.clock.now();
    const sweep = now >= this.#sweepAt;
    if (sweep) this.#sweepAt = now + SWEEP_EVERY_MS;
    const letters = this.#mailbox.take(this.#batch);
    const commands = letters.map(({ command }) => command);
    let decided: Decided | null = null;
    try {
      decided = await decide(this.#options, this.#state, this.#revision, commands, sweep);
      await commitTurn(this.#options, decided, letters);
    } catch (caught) {
      return await this.#recover(caught, letters, decided);
    }
    if (!decided.turn.changedNothing) this.#revision = decided.turn.revision;
    this.#batch = BATCH;
    this.#failuresInARow = 0;
    this.#tell(letters, decided);
    return true;
  }

  /** After the commit: answers, assignments and changes go out. */
  #tell(letters: readonly Letter[], decided: Decided): void {
    const { observer, handOut, slots, fence, slotsMoved } = this.#options;
    const { turn, outcomes, handout } = decided;
    letters.forEach((letter, index) => {
      letter.resolve(outcomes[index]);
    });
    handOut(handout);
    if (!turn.changedNothing) {
      const { revision, inserted, updated, output } = turn.changes();
      this.feed.publish(revision, [...inserted, ...updated], output);
      keepSpecs(this.#options.specs, decided);
      observeTurn(observer, decided);
    }
    slots.wait(fence.shardId, this.#state.lines.waiting());
    slotsMoved();
    if (decided.more) this.poke();
  }

  /**
   * The turn failed, and whether its commit took place is unknown. The database knows: the
   * revision tells. Committed: it is told as if nothing had happened. Not committed: its commands
   * get another turn, in smaller batches, so that one that cannot be written does not stop the
   * others.
   */
  async #recover(
    caught: unknown,
    letters: readonly Letter[],
    decided: Decided | null,
  ): Promise<boolean> {
    const { log, fence, observer } = this.#options;
    observer.commitFailed({ shardId: fence.shardId });
    log.warn({ shard: fence.shardId, error: caught }, "a turn failed; the shard is reloaded");
    if (caught instanceof Deposed || !(await this.#reload())) {
      for (const letter of letters) letter.reject(unavailable());
      return false;
    }
    if (decided !== null && !decided.turn.changedNothing) {
      if (this.#revision === decided.turn.revision) {
        this.#tell(letters, decided);
        return true;
      }
    }
    this.#batch = Math.max(1, this.#batch >> 3);
    for (const letter of letters) {
      if (++letter.failures >= MAX_FAILURES) letter.reject(JobFault.from(caught));
    }
    this.#mailbox.putBack(letters.filter(({ failures }) => failures < MAX_FAILURES));
    // No command is to blame any more: reloading without a pause would only add to the trouble.
    if (++this.#failuresInARow > MAX_FAILURES) await sleep(this.#options.clock, RELOAD_RETRY_MS);
    return true;
  }

  /** Tries until the shard is loaded. False when it is another server's, or this one stops. */
  async #reload(): Promise<boolean> {
    const { clock, log, fence, holdsLease } = this.#options;
    while (!this.#stopping.signal.aborted && holdsLease()) {
      try {
        await this.load();
        return true;
      } catch (error) {
        if (error instanceof Deposed) return false;
        log.warn({ shard: fence.shardId, error }, "the shard could not be reloaded; trying again");
      }
      await sleep(clock, RELOAD_RETRY_MS);
    }
    return false;
  }
}

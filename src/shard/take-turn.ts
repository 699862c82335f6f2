import { EXTERNAL_RUNNER, type LeaseToken } from "../jobs/ids.ts";
import type { JobRow } from "../jobs/job.ts";
import type { Clock } from "../runtime/clock.ts";
import type { Random } from "../runtime/random.ts";
import { Deposed, type Fence, NOTHING_WANTED, type ShardStore } from "../store/store.ts";
import { judgeTypes } from "./circuit.ts";
import { readFor } from "./cold-reads.ts";
import { sweepOverdue, wakeUp } from "./commands/clockwork.ts";
import type { Command } from "./commands/command.ts";
import { EXTERNAL_STARTS, withExternal } from "./external-slots.ts";
import { handoutOf, type Told } from "./handout.ts";
import type { Letter } from "./mailbox.ts";
import type { ShardObserver } from "./observer.ts";
import { note } from "./note.ts";
import { tellRest } from "./notices/hooks.ts";
import { schedule, type Placement } from "./scheduler.ts";
import { settle } from "./settle.ts";
import type { Slots } from "./slots.ts";
import type { SpecKeeper } from "./spec-keeper.ts";
import type { ShardState } from "./state.ts";
import type { TurnBounds } from "./turn-bounds.ts";
import { Turn } from "./turn.ts";

/** Jobs that time may move in one turn; the rest follows in the next. */
const WAKE_LIMIT = 1_000;

export type TurnTools = {
  readonly store: ShardStore;
  readonly fence: Fence;
  readonly slots: Slots;
  readonly specs: SpecKeeper;
  readonly clock: Clock;
  readonly random: Random;
  readonly observer: ShardObserver;
  readonly bounds: TurnBounds;
  /** False when the server's own clock says that the lease ran out: nothing is committed then. */
  readonly holdsLease: () => boolean;
};

/** Everything that a turn decided. Nothing of it may be told to anybody before `commitTurn`. */
export type Decided = {
  readonly turn: Turn;
  readonly outcomes: readonly unknown[];
  readonly placements: readonly Placement[];
  readonly handout: Told;
  /** More could be started at once: another turn is to follow. */
  readonly more: boolean;
};

/**
 * Applies the commands, and `sweep`s for overdue attempts if asked to, then places jobs on free
 * slots. Changes memory and reads the database; writes nothing.
 */
export const decide = async (
  tools: TurnTools,
  state: ShardState,
  revision: number,
  commands: readonly Command<unknown>[],
  sweep: boolean,
): Promise<Decided> => {
  const { store, fence, slots, clock, random, bounds } = tools;
  const cold = await readFor(store, fence.shardId, state, commands, bounds);
  const at = {
    now: clock.now(),
    revision: revision + 1,
    random: () => random.fraction(),
    newId: () => random.uuid(),
  };
  const turn = new Turn(state, at, cold, bounds);
  tellRest(turn);
  wakeUp(WAKE_LIMIT).apply(turn);
  if (sweep) sweepOverdue().apply(turn);
  const outcomes = commands.map((command) => command.apply(turn));
  settle(turn);
  judgeTypes(turn);
  const release = (): void => {
    for (const { runnerId, what, change } of turn.slotNotes.splice(0)) {
      slots[what](fence.shardId, runnerId, change);
    }
    for (const runnerId of turn.released.splice(0)) slots.use(fence.shardId, runnerId, -1);
  };
  release();
  const newLease = (): LeaseToken => random.secret(16) as LeaseToken;
  const placements = schedule(turn, withExternal(slots.sourceFor(fence.shardId)), newLease);
  const handout = await handoutOf(
    turn,
    placements,
    tools.specs,
    async (wanted) => await store.readCold(fence.shardId, { ...NOTHING_WANTED, ...wanted }),
  );
  // What could not be handed out has ended.
  const unlucky = settle(turn);
  release();
  note(turn);
  const external = placements.filter(({ runnerId }) => runnerId === EXTERNAL_RUNNER).length;
  const told = { ...handout, deliveries: turn.notices.changes().deliveries };
  const isLeft = state.unsettled.size > 0 || !state.untold.isEmpty;
  const more = isLeft || unlucky || external >= EXTERNAL_STARTS;
  return { turn, outcomes, placements, handout: told, more };
};

/** Makes a turn durable. @throws Deposed; anything else when the outcome is unknown. */
export const commitTurn = async (
  { store, fence, clock, observer, holdsLease }: TurnTools,
  { turn }: Decided,
  letters: readonly Letter[],
): Promise<void> => {
  if (!holdsLease()) throw new Deposed(fence);
  if (turn.changedNothing) return;
  const changes = turn.changes();
  const [beganAt, begun] = [clock.now(), clock.monotonic()];
  await store.commit(fence, changes);
  observer.committed({
    shardId: fence.shardId,
    commands: letters.length,
    origins: letters.flatMap(({ origin }) => origin ?? []),
    beganAt,
    rows:
      changes.inserted.length +
      changes.updated.length +
      changes.attempts.length +
      changes.output.length,
    durationMs: clock.monotonic() - begun,
    changes,
    loopsStopped: turn.notices.loopsStopped,
    now: turn.now,
  });
};

/** Tells those who measure what a committed turn brought. */
export const observeTurn = (
  observer: ShardObserver,
  { turn, placements, handout }: Decided,
): void => {
  const submissions = new Map(
    handout.assignments.map(({ assignment }) => [assignment.ref.jobId, assignment.traceparent]),
  );
  for (const { job } of placements) {
    const { organizationId, id, capability, attempt, queuedAt, workflowId, stepName } = job.row;
    observer.attemptStarted({
      organizationId,
      jobId: id,
      attempt,
      capability,
      workflowId,
      stepName,
      queuedAt: queuedAt ?? turn.now,
      startedAt: turn.now,
      traceparent: submissions.get(id) ?? "",
    });
  }
  for (const attempt of turn.attempts) {
    observer.attemptEnded({
      capability: turn.row(attempt.organizationId, attempt.jobId)?.capability ?? "",
      outcome: attempt.outcome,
      runMs: attempt.endedAt - attempt.startedAt,
      cpuMs: attempt.cpuMs,
      peakMemoryBytes: attempt.peakMemoryBytes,
    });
  }
};

/** Likely to start soon. */
const waits = ({ state }: JobRow): boolean => state === "QUEUED" || state === "BLOCKED";

/** After the commit: specs of jobs that wait are kept, those of others are not needed any more. */
export const keepSpecs = (specs: SpecKeeper, { turn }: Decided): void => {
  const { inserted, updated } = turn.changes();
  for (const row of inserted) {
    const spec = waits(row) ? turn.spec(row.organizationId, row.id) : undefined;
    if (spec !== undefined) specs.keep(spec);
  }
  for (const row of updated) if (!waits(row)) specs.drop(row);
};

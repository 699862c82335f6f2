import { aJobId } from "../support/job-row.ts";
import type { Capability, LeaseToken, OrganizationId, RunnerId } from "../../src/jobs/ids.ts";
import { SCRIPT } from "../../src/jobs/ids.ts";
import type { JobRow } from "../../src/jobs/job.ts";
import { judgeTypes } from "../../src/shard/circuit.ts";
import type { Command } from "../../src/shard/commands/command.ts";
import { withExternal } from "../../src/shard/external-slots.ts";
import { schedule, type Placement } from "../../src/shard/scheduler.ts";
import { settle } from "../../src/shard/settle.ts";
import { Slots } from "../../src/shard/slots.ts";
import { ShardState } from "../../src/shard/state.ts";
import { TURN_BOUNDS } from "../../src/shard/turn-bounds.ts";
import { Turn } from "../../src/shard/turn.ts";
import { type ColdRows, NO_COLD_ROWS, type OrganizationLimits } from "../../src/store/store.ts";

export const acme = "acme" as OrganizationId;
export const RUNNER = "runner-1" as RunnerId;

type Told<Outcome> = {
  readonly outcome: Outcome;
  readonly turn: Turn;
  readonly placements: readonly Placement[];
};

/** Limits of `acme`, with only those said that matter. */
export const someLimits = (facts: Partial<OrganizationLimits> = {}): OrganizationLimits => ({
  organizationId: acme,
  maxRunning: 5,
  maxQueued: 1_000,
  weight: 1,
  retentionMs: 60_000,
  types: new Map(),
  hooks: [],
  breakers: [],
  ...facts,
});

/** A shard without a database: turns are applied and taken as committed. */
export class Shard {
  state = new ShardState();
  readonly slots = new Slots();
  now = 1_000;
  bounds = TURN_BOUNDS;
  #revision = 0;
  #leases = 0;

  constructor(limits: Partial<OrganizationLimits> = {}) {
    this.admit(acme, limits);
  }

  admit(organizationId: OrganizationId, limits: Partial<OrganizationLimits> = {}): void {
    this.state.admit(someLimits({ ...limits, organizationId }));
  }

  offer(slots: number, capabilities: readonly Capability[] = [SCRIPT], id = RUNNER): void {
    this.slots.announce(id, capabilities, slots);
  }

  do<Outcome>(command: Command<Outcome>, cold: Partial<ColdRows> = {}): Told<Outcome> {
    this.#revision += 1;
    const at = { now: this.now, revision: this.#revision, random: () => 0.5, newId: aJobId };
    const turn = new Turn(this.state, at, { ...NO_COLD_ROWS, ...cold }, this.bounds);
    const outcome = command.apply(turn);
    settle(turn);
    judgeTypes(turn);
    this.#tellSlots(turn);
    const newLease = (): LeaseToken => `lease-${(this.#leases += 1)}` as LeaseToken;
    const placements = schedule(turn, withExternal(this.slots.sourceFor(0)), newLease);
    this.#tellSlots(turn);
    this.slots.wait(0, this.state.lines.waiting());
    return { outcome, turn, placements };
  }

  #tellSlots(turn: Turn): void {
    for (const { runnerId, what, change } of turn.slotNotes.splice(0)) {
      this.slots[what](0, runnerId, change);
    }
    for (const id of turn.released) this.slots.use(0, id, -1);
    turn.released.length = 0;
  }

  row({ organizationId, id }: JobRow): JobRow | undefined {
    return this.state.find(organizationId, id)?.row;
  }
}

export const namesOf = (placements: readonly Placement[]): string[] =>
  placements.map(({ job }) => job.row.name);

import type { Capability } from "../jobs/ids.ts";
import type { JobRow } from "../jobs/job.ts";
import type { Patch } from "../jobs/transitions.ts";
import type { ActiveJob } from "./active-job.ts";
import type { Charge, Contender, Line } from "./contender.ts";
import { FairLine } from "./fair-line.ts";
import type { Organization } from "./organization.ts";

/**
 * Who waits for slots: a line for each capability, in which organizations stand, not jobs. Slots
 * that can do several things make lines hang together: taking one is a service in the lines of all
 * that it can do, so that an organization with jobs for twenty handlers has no more of a runner
 * than one with jobs for a single one of them.
 */
export class Lines {
  readonly #lines = new Map<Capability, Line>();

  line(capability: Capability): Line {
    let line = this.#lines.get(capability);
    if (line === undefined) {
      line = { fair: new FairLine(), weight: 0 };
      this.#lines.set(capability, line);
    }
    return line;
  }

  /** Capabilities for which some job could start at once if only there were a slot; with the weight of those who wait. */
  waiting(): Map<Capability, number> {
    const waiting = new Map<Capability, number>();
    for (const [capability, { fair, weight }] of this.#lines) {
      if (fair.size > 0) waiting.set(capability, weight);
    }
    return waiting;
  }

  /** Whose turn it is among those who wait for one of these. */
  first(open: Iterable<Capability>): Contender | undefined {
    let first: Contender | undefined;
    for (const capability of open) {
      const contender = this.#lines.get(capability)?.fair.first();
      if (contender === undefined) continue;
      if (first === undefined || contender.tag < first.tag) first = contender;
    }
    return first;
  }

  /** An organization takes a slot for this capability, which could have done any of `abilities`. */
  charge(
    organization: Organization,
    capability: Capability,
    abilities: readonly Capability[],
  ): Charge {
    const { estimateMs = 0, tag = 0 } = organization.contender(capability) ?? {};
    const amount = estimateMs / organization.limits.weight;
    const contenders: Contender[] = [];
    for (const ability of abilities) {
      this.#lines.get(ability)?.fair.serve(tag);
      const contender = organization.contender(ability);
      if (contender === undefined) continue;
      contender.line.fair.charge(contender, amount);
      contenders.push(contender);
    }
    return { contenders, amount };
  }

  /** Corrects the charge of an attempt that is over; `patch` is what its end does to the job. */
  settle(job: ActiveJob, patch: Patch): void {
    const { organization, charge, row } = job;
    const cost = costOf(row, patch);
    const own = organization.contender(row.capability);
    own?.learn(cost);
    const normalised = cost / organization.limits.weight;
    if (charge === null) {
      own?.line.fair.add(own, normalised);
      return;
    }
    job.charge = null;
    for (const contender of charge.contenders) {
      contender.line.fair.settle(contender, normalised - charge.amount);
    }
  }
}

/** CPU time where the runner measured it, else how long the slot was taken. Never nothing. */
const costOf = ({ startedAt, updatedAt }: JobRow, { cpuMs = 0, updatedAt: now }: Patch): number =>
  Math.max(1, cpuMs > 0 ? cpuMs : (now ?? updatedAt) - (startedAt ?? updatedAt));

import type { FairLine, Standing } from "./fair-line.ts";
import { Heap } from "./heap.ts";
import { type Lane, leads } from "./lane.ts";
import type { Organization } from "./organization.ts";

/** Before anything is known of what an attempt costs, in milliseconds. */
const FIRST_ESTIMATE_MS = 100;
/** How much the newest cost counts for the estimate. */
const NEWEST = 1 / 8;

/** The line for slots of one capability. `weight`: of all organizations that stand in it. */
export type Line = { readonly fair: FairLine<Contender>; weight: number };

/**
 * An organization in the line for one capability. It stands there while some job of it could start
 * if only there were a slot.
 */
export class Contender implements Standing {
  readonly organization: Organization;
  readonly line: Line;
  /** Lanes with a job that could start now. */
  readonly lanes = new Heap<Lane>(leads);
  tag = 0;
  entered = 0;
  position = -1;
  /** What its next attempt is expected to cost, in milliseconds: a moving average. */
  estimateMs = FIRST_ESTIMATE_MS;
  /** What it added to the weight of the line. */
  #weight = 0;

  constructor(organization: Organization, line: Line) {
    this.organization = organization;
    this.line = line;
  }

  /** What an attempt for this capability really took. */
  learn(costMs: number): void {
    this.estimateMs += NEWEST * (costMs - this.estimateMs);
  }

  /** Whether nobody who stands in the line has had less. */
  get isFirst(): boolean {
    const first = this.line.fair.first();
    return first !== undefined && this.tag <= first.tag;
  }

  /** Enters or leaves the line, as its lanes and the limit of the organization want it. */
  refresh(): void {
    const { fair } = this.line;
    const stands = fair.has(this);
    const should = this.lanes.size > 0 && this.organization.mayRunMore;
    const weight = should ? this.organization.limits.weight : 0;
    this.line.weight += weight - this.#weight;
    this.#weight = weight;
    if (should && !stands) fair.enter(this);
    else if (!should && stands) fair.leave(this);
  }
}

/** What a started attempt was charged for: so much normalised service, in each of these lines. */
export type Charge = { readonly contenders: readonly Contender[]; readonly amount: number };

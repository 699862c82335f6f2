import type { OrganizationId } from "../../jobs/ids.ts";
import { type ColdWanted, emptyLists } from "../../store/store.ts";
import type { ShardState } from "../state.ts";
import type { Turn } from "../turn.ts";

/** A workflow, by its id, by a job that may be a step of one, or by the request that made it. */
export type WorkflowNamed = {
  readonly organizationId: OrganizationId;
  readonly by: "id" | "job" | "request";
  readonly name: string;
};

/** What a batch of commands needs from the database, gathered before the turn. */
export type Wanted = { [Rows in keyof ColdWanted]: ColdWanted[Rows][number][] } & {
  /**
   * Workflows with the rows of all of their jobs. Who names one by a job or a request has to want
   * that too.
   */
  readonly whole: WorkflowNamed[];
};

export const wantNothing = (): Wanted => ({ ...emptyLists(), whole: [] });

export const wantsNothing = (wanted: Wanted): boolean =>
  Object.values(wanted).every((rows) => rows.length === 0);

/**
 * Something to be done to a shard. `apply` may run more than once: a turn whose commit failed is
 * undone and its commands are applied again to the reloaded state.
 */
export type Command<Outcome> = {
  /** How much of a batch it takes; about the rows that it writes. */
  readonly weight: number;
  /** What it brings along, roughly. 0 for one that only names things: it is never turned away. */
  readonly bytes: number;
  /** Adds the cold rows that `apply` will ask for. */
  want(state: ShardState, wanted: Wanted): void;
  /** Changes the state through the turn. Must not throw halfway: refuse first, change after. */
  apply(turn: Turn): Outcome;
};

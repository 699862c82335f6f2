import type { OrganizationId } from "../../jobs/ids.ts";
import type { Millis } from "../../jobs/job.ts";
import type { PointRow, RollupRow } from "../../jobs/metric.ts";
import type { JobState } from "../../jobs/states.ts";
import { censusOf, type CensusView } from "../census.ts";
import type { Command } from "./command.ts";

/** Nothing of it needs rows of the database, and nothing is ever turned away. */
const READS_NOTHING = { weight: 1, bytes: 0, want: () => {} } as const;

export type CurrentCounts = CensusView & { readonly type: string | null };

/**
 * What the owner holds now: of all jobs of the organization; of each of `types`, if they are named;
 * or of each type that has active jobs. Answers after all that was committed before.
 */
export const currentCounts = (
  organizationId: OrganizationId,
  types: readonly string[] | "all" | "each",
): Command<{ readonly at: Millis; readonly counts: readonly CurrentCounts[] }> => ({
  ...READS_NOTHING,
  apply: ({ state, now }) => {
    const organization = state.organization(organizationId);
    if (organization === undefined) return { at: now, counts: [] };
    const each = types === "each" ? organization.census.activeTypes() : types;
    const of = (type: string | null): CurrentCounts => {
      const { states, oldestQueuedAt } = censusOf(organization, type);
      return { type, states: new Map<JobState, number>(states), oldestQueuedAt };
    };
    return { at: now, counts: each === "all" ? [of(null)] : each.map(of) };
  },
});

/** From now on no minute from before `until` is written. Answers when that is committed. */
export const closeMinutes = (until: Millis): Command<void> => ({
  ...READS_NOTHING,
  apply: ({ state }) => {
    state.points.close(until);
  },
});

/**
 * Writes points that were rolled up from minutes before `closedUntil`, or notes how far that has come.
 * False when these minutes are not known to be closed: the shard was loaded anew after they were read.
 */
export const writeRollup = (
  rows: readonly PointRow[],
  rollup: RollupRow | null,
  closedUntil: Millis,
): Command<boolean> => ({
  weight: Math.max(1, rows.length),
  bytes: 0,
  want: () => {},
  apply: ({ state, points }) => {
    if (state.points.closedUntil < closedUntil) return false;
    for (const row of rows) points.put(row);
    if (rollup !== null) points.rolledUp(rollup);
    return true;
  },
});

/** Organizations that have queued jobs. */
export const queuedOrganizations = (): Command<readonly OrganizationId[]> => ({
  ...READS_NOTHING,
  apply: ({ state }) =>
    [...state.organizations()].filter(({ queued }) => queued > 0).map(({ id }) => id),
});

/**
 * Notes the age of queues of which nothing else is noted in this minute, because nothing moves there:
 * a queue that stands still is the one that somebody wants to see.
 */
export const sampleQueues = (organizationIds: readonly OrganizationId[]): Command<void> => ({
  ...READS_NOTHING,
  weight: organizationIds.length,
  apply: ({ state, points, now }) => {
    state.points.open(now);
    for (const id of organizationIds) {
      const organization = state.organization(id);
      for (const type of organization?.census.activeTypes() ?? []) {
        if (state.points.has(id, type)) continue;
        if (organization === undefined || censusOf(organization, type).oldestQueuedAt === null)
          continue;
        points.moved.add(state.points.of(id, type));
      }
    }
  },
});

import type { OrganizationId } from "../../jobs/ids.ts";
import type { Millis } from "../../jobs/job.ts";
import { MOST_TYPES, OTHER_TYPES, type PointRow, type RollupRow } from "../../jobs/metric.ts";
import type { JobState } from "../../jobs/states.ts";
import { censusOf, type CensusView } from "../census.ts";
import type { Command } from "./command.ts";

/** Nothing of it needs rows of the database, and nothing is ever turned away. */
const READS_NOTHING = { weight: 1, bytes: 0, want: () => {} } as const;

export type CurrentCounts = CensusView & { readonly type: string | null };

/**
 * What the owner holds now, of these types (of all, if none is named): together, or each that has
 * active jobs by itself, the 200 largest and the others as one. Answers after all that was committed
 * before.
 */
export const currentCounts = (
  organizationId: OrganizationId,
  types: readonly string[],
  byType: boolean,
): Command<{ readonly at: Millis; readonly counts: readonly CurrentCounts[] }> => ({
  ...READS_NOTHING,
  apply: ({ state, now }) => {
    const organization = state.organization(organizationId);
    const told = (counts: readonly CurrentCounts[]) => ({ at: now, counts });
    if (organization === undefined) return told(byType ? [] : [together([], null)]);
    const of = (type: string | null): CurrentCounts =>
      together([censusOf(organization, type)], type);
    if (!byType && types.length === 0) return told([of(null)]);
    const active = organization.census.activeTypes();
    const each = (types.length === 0 ? active : active.filter((type) => types.includes(type)))
      .map(of)
      .toSorted((a, b) => jobsOf(b) - jobsOf(a));
    if (!byType) return told([together(each, null)]);
    const rest = each.slice(MOST_TYPES);
    return told([
      ...each.slice(0, MOST_TYPES),
      ...(rest.length > 0 ? [together(rest, OTHER_TYPES)] : []),
    ]);
  },
});

const jobsOf = ({ states }: CensusView): number =>
  [...states.values()].reduce((sum, count) => sum + count, 0);

const together = (views: readonly CensusView[], type: string | null): CurrentCounts => {
  const states = new Map<JobState, number>();
  let oldest: Millis | null = null;
  for (const view of views) {
    for (const [state, count] of view.states) states.set(state, (states.get(state) ?? 0) + count);
    if (view.oldestQueuedAt !== null) oldest = Math.min(oldest ?? Infinity, view.oldestQueuedAt);
  }
  return { type, states, oldestQueuedAt: oldest };
};

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

import type { HookRow } from "../../jobs/hook.ts";
import { thresholdNotice } from "../../jobs/hook-notice.ts";
import { looked } from "../../jobs/threshold.ts";
import { measure, type Population } from "../measure.ts";
import { RECENT_MS } from "../recent-endings.ts";
import type { Turn } from "../turn.ts";
import { OF_NO_JOB, oweHook } from "./hook-delivery.ts";
import { putHook } from "./hook-rows.ts";

/** Looks at the numbers that hooks wait for, when it is time to. */
export const noteThresholds = (turn: Turn): void => {
  for (const organization of turn.state.watched.due(turn.now)) {
    for (const hook of organization.hooks.watching()) look(turn, organization, hook);
  }
};

const look = (turn: Turn, population: Population, hook: HookRow): void => {
  const { event: threshold, target, aboveSince, firing } = hook;
  if (threshold.kind !== "threshold") return;
  const value = measure(population, threshold, target.kind === "job", turn.now);
  const isOver = value > threshold.above;
  if (!isOver && isBlind(turn, hook)) return;
  const { event, ...seen } = looked(hook, isOver, threshold.forMs, turn.now);
  if (seen.aboveSince === aboveSince && seen.firing === firing) return;
  const after = putHook(turn, { ...hook, ...seen });
  if (event === null) return;
  const body = thresholdNotice(after, threshold, event, value, turn.now);
  oweHook(turn, after, { event, ...OF_NO_JOB, body });
};

/**
 * A new owner has not seen what ended before its time: for as long as that counts, it does not know
 * that a ratio which was above its limit is not so any more.
 */
const isBlind = ({ state, now }: Turn, { event, aboveSince }: HookRow): boolean => {
  const since = state.watched.since ?? now;
  return (
    event.kind === "threshold" &&
    event.metric === "FAILURE_RATIO" &&
    aboveSince !== null &&
    aboveSince < since &&
    now - since < RECENT_MS
  );
};

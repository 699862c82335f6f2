/**
 * How many attempts there were at once, lately: the highest figure of the present window and of the
 * one before. Where a child serves one attempt, so many fresh ones are kept ready; looking back over
 * whole windows keeps a load that comes in bursts from ending children that the next burst needs.
 */
export type Demand = {
  readonly since: number;
  readonly now: number;
  readonly before: number;
};

export const WINDOW_MS = 10_000;

export const NO_DEMAND: Demand = { since: 0, now: 0, before: 0 };

const turned = (demand: Demand, at: number): Demand => {
  const windows = Math.floor((at - demand.since) / WINDOW_MS);
  if (windows === 0) return demand;
  return {
    since: demand.since + windows * WINDOW_MS,
    now: 0,
    before: windows === 1 ? demand.now : 0,
  };
};

/** `atOnce` attempts run or wait at `at`. */
export const seen = (demand: Demand, atOnce: number, at: number): Demand => {
  const present = turned(demand, at);
  return atOnce > present.now ? { ...present, now: atOnce } : present;
};

export const peak = (demand: Demand, at: number): number => {
  const present = turned(demand, at);
  return Math.max(present.now, present.before);
};

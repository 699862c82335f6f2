/** What one turn may bring about beyond what its commands ask for themselves; the rest follows. */
export type TurnBounds = {
  /** Jobs that change because others have ended, or are to end. */
  readonly settled: number;
  /** Notices to hooks of what the turn did, and as many of what was left to it. */
  readonly notices: number;
};

/** About a tenth of a second on MariaDB. bench/large-turns.ts shows what would be without them. */
export const TURN_BOUNDS: TurnBounds = { settled: 2_000, notices: 2_000 };

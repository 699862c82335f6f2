/**
 * How long somebody who has a child waits for it before he takes the place of another's: as long as
 * a child took to start lately. Who waits so long has lost at most as much again, and most wait for
 * less: a start costs as much CPU as some twenty to forty short attempts, and on a busy machine it is
 * those who run that pay for it.
 */
export type Patience = {
  ms(): number;
  /** A child took so long from its start until it was ready. */
  started(ms: number): void;
};

const SHORTEST_MS = 50;
const LONGEST_MS = 1_000;
/** What the newest start counts. */
const SHARE = 0.25;

export const createPatience = (): Patience => {
  let lately = SHORTEST_MS;
  return {
    ms: () => Math.min(LONGEST_MS, Math.max(SHORTEST_MS, lately)),
    started: (ms) => {
      lately += SHARE * (ms - lately);
    },
  };
};

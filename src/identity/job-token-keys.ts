import type { Millis } from "../jobs/job.ts";
import type { Random } from "../runtime/random.ts";
import type { SecretStore } from "../store/store.ts";
import type { JobTokenKey } from "./job-token.ts";

/**
 * The keys of jobs' own tokens: one for each day, by the database's clock, so that all servers have
 * the same. A token lives as long as its attempt, 24 h at most: made on one day, it may be shown on
 * the next, and by a server whose day begins a little later on the one after that. The key of
 * tomorrow is there today, for another server may begin the day first.
 */
export type JobTokenKeys = {
  current(): JobTokenKey;
  /** Null for a day whose tokens are not valid any more, or not yet. */
  of(epoch: number): JobTokenKey | null;
  /** Fetches the keys of that day if it is a new one, and removes those that are over. */
  turnTo(now: Millis): Promise<void>;
};

const DAY_MS = 86_400_000;
const FORMER = 2;
const COMING = 1;
const KEY_BYTES = 32;
const PREFIX = "job-token-";

const epochOf = (name: string): number => Number(name.slice(PREFIX.length));

export const createJobTokenKeys = (secrets: SecretStore, random: Random): JobTokenKeys => {
  let today: number | null = null;
  let keys: ReadonlyMap<number, JobTokenKey> = new Map();

  const fetch = async (epoch: number): Promise<JobTokenKey> => ({
    epoch,
    secret: await secrets.keep(`${PREFIX}${epoch}`, random.secret(KEY_BYTES)),
  });

  return {
    current: () => {
      const key = today === null ? undefined : keys.get(today);
      if (key === undefined) throw new Error("the keys of jobs' tokens were not fetched");
      return key;
    },
    of: (epoch) => keys.get(epoch) ?? null,
    turnTo: async (now) => {
      const day = Math.floor(now / DAY_MS);
      if (day === today) return;
      const first = day - FORMER;
      const days = Array.from({ length: FORMER + 1 + COMING }, (_, index) => first + index);
      const fetched = await Promise.all(days.map(fetch));
      const kept = await secrets.names(PREFIX);
      await secrets.remove(kept.filter((name) => epochOf(name) < first));
      keys = new Map(fetched.map((key) => [key.epoch, key]));
      today = day;
    },
  };
};

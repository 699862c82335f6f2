import type { ShardStats } from "../shard/observer.ts";
import type { Meters } from "./meters.ts";
import type { SERVER_TABLE } from "./tables/server.ts";

export type ShardsNow = {
  /** Of the shards that this server serves. */
  readonly stats: readonly ShardStats[];
  /** How many there are in the database. */
  readonly known: number;
  /** Since when the notice that is most overdue waits for its try; null if none is due. */
  readonly noticesDueSince: number | null;
  /** Epoch milliseconds. */
  readonly now: number;
};

const sum = (stats: readonly ShardStats[], count: (shard: ShardStats) => number): number =>
  stats.reduce((total, shard) => total + count(shard), 0);

/** Seconds; 0 if there is none. */
const ageOf = (moment: number, now: number): number => Math.max(0, now - moment) / 1_000;

const oldestAge = ({ stats, now }: ShardsNow): number => {
  const moments = stats.flatMap(({ oldestQueuedAt }) => oldestQueuedAt ?? []);
  return ageOf(Math.min(now, ...moments), now);
};

/** Reads the shards whenever somebody collects. */
export const observeShards = (
  meters: Pick<
    Meters<typeof SERVER_TABLE>,
    "active" | "queueAge" | "shardsOwned" | "shards" | "deliveryAge"
  >,
  read: () => ShardsNow,
): void => {
  meters.active(() => {
    const { stats } = read();
    return [
      [sum(stats, ({ queued }) => queued), { "millrace.job.state": "queued" }],
      [sum(stats, ({ running }) => running), { "millrace.job.state": "running" }],
      [sum(stats, ({ waiting }) => waiting), { "millrace.job.state": "waiting" }],
    ];
  });
  meters.queueAge(() => [[oldestAge(read()), {}]]);
  meters.shardsOwned(() => [[read().stats.length, {}]]);
  meters.shards(() => [[read().known, {}]]);
  meters.deliveryAge(() => {
    const { noticesDueSince, now } = read();
    return [[ageOf(noticesDueSince ?? now, now), {}]];
  });
};

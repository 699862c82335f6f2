/** What jobs came to, for those that take values of it. */
import type { JobId, OrganizationId } from "../jobs/ids.ts";
import type { DatabaseRow, Engine } from "./engine.ts";
import { KEYS_PER_READ } from "./read-by-key.ts";
import { STATES } from "./rows/codes.ts";
import { numberOf, textOf, textOrNull } from "./rows/column.ts";
import { errorOf } from "./rows/error-text.ts";
import type { JobKey, JobResult, ShardId } from "./store.ts";

const resultOf = (row: DatabaseRow): JobResult => ({
  organizationId: textOf(row, "organization_id") as OrganizationId,
  id: textOf(row, "id") as JobId,
  state: STATES.nameOf(numberOf(row, "state")),
  error: errorOf(textOrNull(row, "error")),
  cancelReason: textOf(row, "cancel_reason"),
  result: textOrNull(row, "result"),
});

/** Each job with its newest attempt; ranges of both primary keys. */
export const readResults = async (
  { knex }: Engine,
  shardId: ShardId,
  keys: readonly JobKey[],
): Promise<JobResult[]> => {
  const results: JobResult[] = [];
  for (let at = 0; at < keys.length; at += KEYS_PER_READ) {
    const query = knex({ j: "jobs" })
      .leftJoin({ a: "job_attempts" }, (on) => {
        void on
          .on("a.shard_id", "j.shard_id")
          .on("a.organization_id", "j.organization_id")
          .on("a.job_id", "j.id")
          .on("a.attempt", "j.attempt");
      })
      .select("j.organization_id", "j.id", "j.state", "j.error", "j.cancel_reason", "a.result");
    const page = keys.slice(at, at + KEYS_PER_READ);
    for (const [organizationId, jobs] of Map.groupBy(page, (key) => key.organizationId)) {
      void query.orWhere((alternative) => {
        void alternative.where({ "j.shard_id": shardId, "j.organization_id": organizationId });
        void alternative.whereIn(
          "j.id",
          jobs.map(({ id }) => id),
        );
      });
    }
    results.push(...((await query) as DatabaseRow[]).map(resultOf));
  }
  return results;
};

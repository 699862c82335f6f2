/** Which jobs: the filter of lists and watches as conditions. */
import type { Knex } from "knex";

import { STATES } from "./rows/codes.ts";
import type { JobFilter, Place } from "./store.ts";

const keyOf = ({ shardId, organizationId }: Place): Record<string, string | number> => ({
  "j.shard_id": shardId,
  "j.organization_id": organizationId,
});

/** Each label is one more join: from the label's index to the job, or the other way round. */
const withLabels = (knex: Knex, query: Knex.QueryBuilder, filter: JobFilter): void => {
  for (const [at, [name, value]] of Object.entries(filter.labels).entries()) {
    const label = `l${at}`;
    void query.join({ [label]: "job_labels" }, (on) => {
      void on
        .on(`${label}.shard_id`, "j.shard_id")
        .on(`${label}.organization_id`, "j.organization_id")
        .on(`${label}.job_id`, "j.id")
        .on(`${label}.name`, knex.raw("?", [name]))
        .on(`${label}.value`, knex.raw("?", [value]));
    });
  }
};

/** Jobs `j` of one organization that match; `states` stands in for those of the filter. */
export const matching = (
  knex: Knex,
  place: Place,
  filter: JobFilter,
  states = filter.states,
): Knex.QueryBuilder => {
  const query = knex({ j: "jobs" }).where(keyOf(place));
  withLabels(knex, query, filter);
  if (states.length > 0) {
    const numbers = states.map((state) => STATES.numbers[state]);
    void query.whereIn("j.state", numbers);
  }
  if (filter.type !== null) void query.where("j.type", filter.type);
  if (filter.creatorId !== null) void query.where("j.creator_id", filter.creatorId);
  if (filter.createdAfter !== null) void query.where("j.created_at", ">=", filter.createdAfter);
  if (filter.createdBefore !== null) void query.where("j.created_at", "<", filter.createdBefore);
  if (filter.workflowId !== null) void query.where("j.workflow_id", filter.workflowId);
  const user = filter.visibleTo;
  if (user !== null) {
    void query.where((mine) => {
      void mine.where("j.creator_id", user).orWhere("j.run_as", user);
    });
  }
  return query;
};

/** The hot path: one batch of a shard's owner in one transaction. */
import type { Engine, Transaction } from "./engine.ts";
import { DELETE_ATTRIBUTE, INSERT_ATTRIBUTE } from "./rows/attribute.ts";
import { INSERT_AUDIT } from "./rows/audit.ts";
import { INSERT_ATTEMPT } from "./rows/attempt.ts";
import { UPSERT_BREAKER } from "./rows/breaker.ts";
import { INSERT_JOB, INSERT_USUAL_JOB, isUsual, updateFor } from "./rows/job.ts";
import { DELETE_LABEL, INSERT_LABEL, labelRows } from "./rows/label.ts";
import { INSERT_OUTPUT } from "./rows/output.ts";
import {
  DELETE_ATTEMPTS,
  DELETE_JOB,
  DELETE_OUTPUT,
  DELETE_OUTPUT_ROW,
  DELETE_REQUEST,
  DELETE_SPEC,
  DELETE_STEPS,
  RETIRE_JOB,
} from "./rows/purge.ts";
import { UPSERT_POINT, UPSERT_ROLLUP } from "./rows/point.ts";
import { INSERT_REQUEST } from "./rows/request.ts";
import { INSERT_MISSING_SCRIPT } from "./rows/script.ts";
import { DELETE_SCHEDULE, UPSERT_SCHEDULE } from "./rows/schedule.ts";
import { INSERT_SPEC } from "./rows/spec.ts";
import { INSERT_MISSING_STEP } from "./rows/step.ts";
import { DELETE_UNFINISHED, INSERT_UNFINISHED } from "./rows/unfinished.ts";
import { writeNotices } from "./notices.ts";
import { Deposed, type Fence, type ShardChanges, type ShardId } from "./store.ts";
import { writeWorkflows } from "./workflows.ts";
import { writeRows } from "./write-rows.ts";

/**
 * Takes the shard's row lock, so that the commits of two who both believe to be the owner follow
 * one another, and the second finds either another epoch or another revision.
 */
const FENCE = "UPDATE shards SET revision = ? WHERE id = ? AND epoch = ? AND revision = ?";

/** Resume tokens from before the newest row that goes are worth nothing from now on. */
const COMPACT = `UPDATE shards SET compacted_revision =
  CASE WHEN compacted_revision < ? THEN ? ELSE compacted_revision END WHERE id = ?`;

const purge = async (
  transaction: Transaction,
  shardId: ShardId,
  { purged, purgedOutput, purgedWorkflows, retired }: ShardChanges,
): Promise<void> => {
  await writeRows(transaction, shardId, DELETE_OUTPUT_ROW, purgedOutput);
  const requests = [...purged, ...purgedWorkflows].filter(({ requestId }) => requestId !== "");
  await writeRows(transaction, shardId, DELETE_REQUEST, requests);
  const gone = [...purged, ...retired];
  if (gone.length === 0) return;
  const newest = gone.reduce((revision, job) => Math.max(revision, job.revision), 0);
  await transaction.run(COMPACT, [newest, newest, shardId]);
  await writeRows(transaction, shardId, RETIRE_JOB, retired);
  await writeRows(transaction, shardId, DELETE_LABEL, labelRows(purged));
  await writeRows(transaction, shardId, DELETE_SPEC, purged);
  await writeRows(transaction, shardId, DELETE_ATTEMPTS, purged);
  await writeRows(transaction, shardId, DELETE_OUTPUT, purged);
  await writeRows(transaction, shardId, DELETE_STEPS, purged);
  await writeRows(transaction, shardId, DELETE_JOB, purged);
};

export const commit = async (
  engine: Engine,
  fence: Fence,
  changes: ShardChanges,
): Promise<void> => {
  const { shardId, epoch } = fence;
  await engine.transaction(async (transaction) => {
    const fenced = [changes.revision, shardId, epoch, changes.revision - 1];
    if ((await transaction.run(FENCE, fenced)) === 0) throw new Deposed(fence);

    // First: an id or a request id that goes may come again in the same turn.
    await purge(transaction, shardId, changes);
    const usual = changes.inserted.filter(isUsual);
    const unusual = changes.inserted.filter((job) => !isUsual(job));
    await writeRows(transaction, shardId, INSERT_USUAL_JOB, usual);
    await writeRows(transaction, shardId, INSERT_JOB, unusual);
    await writeRows(transaction, shardId, INSERT_LABEL, labelRows(changes.inserted));
    await writeRows(transaction, shardId, INSERT_SPEC, changes.specs);
    for (const [update, jobs] of Map.groupBy(changes.updated, (job) =>
      updateFor(changes.before.get(job), job),
    )) {
      await writeRows(transaction, shardId, update, jobs);
    }
    await writeRows(transaction, shardId, INSERT_ATTEMPT, changes.attempts);
    await writeRows(transaction, shardId, INSERT_OUTPUT, changes.output);
    await writeRows(transaction, shardId, INSERT_MISSING_STEP, changes.steps);
    await writeRows(transaction, shardId, INSERT_REQUEST, changes.requests);
    await writeRows(transaction, shardId, INSERT_MISSING_SCRIPT, changes.scripts);
    await writeRows(transaction, shardId, INSERT_AUDIT, changes.audit);
    // One that is taken away and given anew in the same turn may be of another kind.
    await writeRows(transaction, shardId, DELETE_ATTRIBUTE, changes.removedAttributes);
    await writeRows(transaction, shardId, INSERT_ATTRIBUTE, changes.attributes);
    await writeRows(transaction, shardId, UPSERT_SCHEDULE, changes.schedules);
    await writeRows(transaction, shardId, DELETE_SCHEDULE, changes.removedSchedules);
    await writeRows(transaction, shardId, UPSERT_BREAKER, changes.breakers);
    await writeWorkflows(transaction, shardId, changes);
    await writeNotices(transaction, shardId, changes);
    await writeRows(transaction, shardId, UPSERT_POINT, changes.points);
    await writeRows(transaction, shardId, UPSERT_ROLLUP, changes.rollups);
    await writeRows(transaction, shardId, DELETE_UNFINISHED, changes.finished);
    await writeRows(transaction, shardId, INSERT_UNFINISHED, changes.unfinished);
  });
};

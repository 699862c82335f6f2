import type { OrganizationId, UserId } from "../../jobs/ids.ts";
import type { MetricGrantRow, PointRow, RollupRow } from "../../jobs/metric.ts";
import type { DatabaseRow } from "../engine.ts";
import { METRIC_CODES, RESOLUTION_CODES } from "./codes.ts";
import { binding, numberOf, textOf } from "./column.ts";

export const UPSERT_POINT = binding<PointRow>(
  "metric_points",
  "upsert",
  [
    ["organization_id", (point) => point.organizationId],
    ["resolution", (point) => RESOLUTION_CODES.numbers[point.resolution]],
    ["started_at", (point) => point.at],
    ["type", (point) => point.type],
    ["writer", (point) => point.writer],
  ],
  [
    ["submitted", (point) => point.submitted],
    ["started", (point) => point.started],
    ["succeeded", (point) => point.succeeded],
    ["failed", (point) => point.failed],
    ["cancelled", (point) => point.cancelled],
    ["retried", (point) => point.retried],
    ["queue", (point) => point.queue],
    ["run", (point) => point.run],
    ["total", (point) => point.total],
    ["queue_age_ms", (point) => point.queueAgeMs],
  ],
);

export const UPSERT_ROLLUP = binding<RollupRow>(
  "metric_rollups",
  "upsert",
  [["resolution", (rollup) => RESOLUTION_CODES.numbers[rollup.resolution]]],
  [["rolled_until", (rollup) => rollup.until]],
);

export const rollupOf = (row: DatabaseRow): RollupRow => ({
  resolution: RESOLUTION_CODES.nameOf(numberOf(row, "resolution")),
  until: numberOf(row, "rolled_until"),
});

export const pointOf = (row: DatabaseRow): PointRow => ({
  organizationId: textOf(row, "organization_id") as OrganizationId,
  resolution: RESOLUTION_CODES.nameOf(numberOf(row, "resolution")),
  at: numberOf(row, "started_at"),
  type: textOf(row, "type"),
  writer: numberOf(row, "writer"),
  submitted: numberOf(row, "submitted"),
  started: numberOf(row, "started"),
  succeeded: numberOf(row, "succeeded"),
  failed: numberOf(row, "failed"),
  cancelled: numberOf(row, "cancelled"),
  retried: numberOf(row, "retried"),
  queue: textOf(row, "queue"),
  run: textOf(row, "run"),
  total: textOf(row, "total"),
  queueAgeMs: numberOf(row, "queue_age_ms"),
});

export const grantColumns = (grant: MetricGrantRow): Record<string, string | number> => ({
  metrics: grant.metrics.map((metric) => METRIC_CODES.numbers[metric]).join(","),
  types: JSON.stringify(grant.types),
  created_by: grant.createdBy,
  created_at: grant.createdAt,
});

export const grantOf = (row: DatabaseRow): MetricGrantRow => ({
  organizationId: textOf(row, "organization_id") as OrganizationId,
  userId: textOf(row, "user_id") as UserId | "",
  metrics: textOf(row, "metrics")
    .split(",")
    .map((code) => METRIC_CODES.nameOf(Number(code))),
  types: JSON.parse(textOf(row, "types")) as string[],
  createdBy: textOf(row, "created_by") as UserId | "",
  createdAt: numberOf(row, "created_at"),
});

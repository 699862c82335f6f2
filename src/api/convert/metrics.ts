import type { MessageInitShape } from "@bufbuild/protobuf";
import { durationFromMs, timestampFromMs } from "@bufbuild/protobuf/wkt";

import { isTypeName } from "../../catalog/job-type.ts";
import { JobState } from "../../gen/millrace/v1/job_pb.ts";
import {
  type CurrentMetricsSchema,
  Metric as WireMetric,
  type MetricGrantSchema,
  type MetricPointSchema,
  type MetricSeriesSchema,
  MetricSchema,
  type QueryMetricsRequest,
  Resolution as WireResolution,
  ResolutionSchema,
} from "../../gen/millrace/v1/metrics_service_pb.ts";
import type { Millis } from "../../jobs/job.ts";
import { LIMITS } from "../../jobs/limits.ts";
import {
  type Metric,
  type MetricGrantRow,
  METRICS,
  OTHER_TYPES,
  type Resolution,
  RESOLUTIONS,
} from "../../jobs/metric.ts";
import type { MetricQuery, Series, TimedMetric, TimedValue } from "../../metrics/query.ts";
import { spanFor } from "../../metrics/resolution.ts";
import type { CurrentCounts } from "../../shard/commands/metrics.ts";
import type { Faults } from "./faults.ts";
import { isKnown, moment } from "./fields.ts";

/** Each once. */
export const checkMetrics = <M extends Metric>(
  faults: Faults,
  given: readonly WireMetric[],
  allowed: readonly M[],
): M[] => {
  const most = allowed.length;
  if (given.length === 0 || given.length > most) {
    faults.add("metrics", `must be 1 to ${most}; there are ${given.length}.`);
    return [];
  }
  const found = given.flatMap((metric, index) => {
    const known = allowed.find((name) => WireMetric[name] === metric);
    if (known !== undefined) return known;
    const what = isKnown(MetricSchema, metric)
      ? `METRIC_${METRICS.find((name) => WireMetric[name] === metric) ?? "UNSPECIFIED"}`
      : `${metric}`;
    faults.add(
      `metrics[${index}]`,
      `must be one of METRIC_${allowed.join(", METRIC_")}; it is ${what}.`,
    );
    return [];
  });
  return [...new Set(found)];
};

/** Each once. */
export const checkTypes = (faults: Faults, given: readonly string[]): string[] => {
  if (given.length > LIMITS.metricTypes) {
    faults.add("types", `must be at most ${LIMITS.metricTypes}; there are ${given.length}.`);
  }
  given.forEach((type, index) => {
    if (type === "" || type === OTHER_TYPES || isTypeName(type)) return;
    const shown = JSON.stringify(type.slice(0, 120));
    faults.add(
      `types[${index}]`,
      `must be a type: "", "${OTHER_TYPES}", or 1 to ${LIMITS.typeLength} of A-Z a-z 0-9 . _ -; it is ${shown}.`,
    );
  });
  return [...new Set(given)];
};

const TIMED: readonly TimedMetric[] = METRICS.filter((metric) => metric !== "CURRENT");

const checkResolution = (faults: Faults, value: WireResolution): Resolution | null => {
  if (!isKnown(ResolutionSchema, value)) {
    faults.add("resolution", `must be a resolution; it is ${value}.`);
  }
  return RESOLUTIONS.find((name) => WireResolution[name] === value) ?? null;
};

/** Null where there is a fault. */
export const checkQuery = (
  faults: Faults,
  request: QueryMetricsRequest,
  now: Millis,
): MetricQuery | null => {
  const metrics = checkMetrics(faults, request.metrics, TIMED);
  const types = checkTypes(faults, request.types);
  const resolution = checkResolution(faults, request.resolution);
  const start = moment(faults, "start_time", request.startTime);
  const end = moment(faults, "end_time", request.endTime) ?? now;
  if (request.startTime === undefined) faults.add("start_time", "is missing.");
  if (faults.found() !== null || start === null) return null;
  const span = spanFor({ resolution, start, end }, now);
  if ("field" in span) {
    faults.add(span.field, span.description);
    return null;
  }
  return { span, metrics, types, byType: request.byType };
};

/** Sums beyond what a double holds exactly are no whole numbers of nanoseconds; nobody reads those. */
const duration = (ms: number) => durationFromMs(Math.round(ms));

const toPoint = ({ at, value }: TimedValue): MessageInitShape<typeof MetricPointSchema> => {
  const time = timestampFromMs(at);
  switch (value.kind) {
    case "count":
      return { time, value: { case: "count", value: BigInt(value.count) } };
    case "age":
      return { time, value: { case: "seconds", value: value.ms / 1_000 } };
    case "distribution": {
      const { sketch } = value;
      return {
        time,
        value: {
          case: "distribution",
          value: {
            count: BigInt(sketch.count),
            mean: duration(sketch.count === 0 ? 0 : sketch.sum / sketch.count),
            p50: duration(sketch.quantile(0.5)),
            p95: duration(sketch.quantile(0.95)),
            p99: duration(sketch.quantile(0.99)),
            max: duration(sketch.max),
          },
        },
      };
    }
  }
};

export const toSeries = (series: Series): MessageInitShape<typeof MetricSeriesSchema> => ({
  metric: WireMetric[series.metric],
  ...(series.type === null ? {} : { type: series.type }),
  points: series.points.map(toPoint),
  total: toPoint(series.total),
});

export const toCurrent = (
  { type, states, oldestQueuedAt }: CurrentCounts,
  now: Millis,
): MessageInitShape<typeof CurrentMetricsSchema> => ({
  ...(type === null ? {} : { type }),
  counts: [...states].map(([state, count]) => ({ state: JobState[state], count: BigInt(count) })),
  queueAge: duration(oldestQueuedAt === null ? 0 : Math.max(0, now - oldestQueuedAt)),
});

export const toGrant = (row: MetricGrantRow): MessageInitShape<typeof MetricGrantSchema> => ({
  userId: row.userId,
  metrics: row.metrics.map((metric) => WireMetric[metric]),
  types: [...row.types],
  createdBy: row.createdBy,
  createTime: timestampFromMs(row.createdAt),
});

import { create, toJsonString } from "@bufbuild/protobuf";
import { timestampFromMs } from "@bufbuild/protobuf/wkt";

import {
  GetCurrentMetricsResponseSchema,
  Metric as WireMetric,
  QueryMetricsRequestSchema,
  QueryMetricsResponseSchema,
  Resolution as WireResolution,
} from "../../gen/millrace/v1/metrics_service_pb.ts";
import { type Metric, type MetricGrantRow, METRICS, RESOLUTIONS } from "../../jobs/metric.ts";
import type { MetricQuery } from "../../metrics/query.ts";
import type { Place } from "../../store/store.ts";
import { collectFaults, type Faults } from "../convert/faults.ts";
import { checkTypes } from "../convert/metrics.ts";
import type { MetricsApi } from "./api.ts";
import { answerCurrent, answerQuery, checkedQuery } from "./read.ts";

const HOUR = 3_600_000;
/** What is told of when no `start` is given. */
const USUAL_SPAN_MS = { MINUTE: HOUR, HOUR: 48 * HOUR, DAY: 30 * 24 * HOUR } as const;

/** What somebody without a login asked for, as far as it is well formed. */
export type PublicQuery = {
  readonly metrics: readonly Metric[];
  readonly types: readonly string[];
  readonly byType: boolean;
  /** Null if only what is now was asked for. */
  readonly timed: MetricQuery | null;
  /** The same for what is answered alike. */
  readonly key: string;
};

const PARAMETERS: ReadonlySet<string> = new Set([
  "metrics",
  "types",
  "by_type",
  "resolution",
  "start",
  "end",
]);

const listOf = (text: string | null): string[] | null => (text === null ? null : text.split(","));

const metricOf = (faults: Faults, text: string): Metric[] => {
  const name = text.toUpperCase().replace(/^METRIC_/, "");
  const known = METRICS.find((metric) => metric === name);
  if (known !== undefined) return [known];
  const names = METRICS.map((metric) => metric.toLowerCase()).join(", ");
  faults.add("metrics", `must be of ${names}; one is ${JSON.stringify(text.slice(0, 100))}.`);
  return [];
};

const timeOf = (faults: Faults, field: string, text: string | null): number | null => {
  if (text === null) return null;
  const at = /^\d{4}-\d\d-\d\dT\S+$/.test(text) ? Date.parse(text) : Number.NaN;
  if (!Number.isNaN(at)) return at;
  faults.add(
    field,
    `must be a time as 2026-01-31T12:00:00Z; it is ${JSON.stringify(text.slice(0, 100))}.`,
  );
  return null;
};

/**
 * Of the parameters `metrics`, `types`, `by_type`, `resolution`, `start` and `end`; what is left out is
 * all that was opened. @throws JobFault INVALID_ARGUMENT
 */
export const publicQuery = (
  api: MetricsApi,
  parameters: URLSearchParams,
  opened: Pick<MetricGrantRow, "metrics" | "types">,
): PublicQuery => {
  const faults = collectFaults();
  for (const name of new Set(parameters.keys())) {
    if (!PARAMETERS.has(name)) faults.add(name.slice(0, 100), "is not known here.");
    else if (parameters.getAll(name).length > 1) faults.add(name, "is there more than once.");
  }
  const named = listOf(parameters.get("metrics"))?.flatMap((text) => metricOf(faults, text));
  const metrics = [...new Set(named ?? opened.metrics)];
  const types = checkTypes(faults, listOf(parameters.get("types")) ?? opened.types);
  const byType = parameters.get("by_type") ?? "false";
  if (byType !== "true" && byType !== "false") faults.add("by_type", "must be true or false.");
  const wanted = (parameters.get("resolution") ?? "minute").toUpperCase();
  const resolution = RESOLUTIONS.find((name) => name === wanted.replace(/^RESOLUTION_/, ""));
  if (resolution === undefined) faults.add("resolution", "must be minute, hour or day.");
  const end = timeOf(faults, "end", parameters.get("end")) ?? api.tenants.clock.now();
  const start =
    timeOf(faults, "start", parameters.get("start")) ?? end - USUAL_SPAN_MS[resolution ?? "MINUTE"];
  faults.throwIfAny();
  const over = metrics.filter((metric) => metric !== "CURRENT");
  const timed =
    over.length === 0
      ? null
      : checkedQuery(
          api,
          create(QueryMetricsRequestSchema, {
            metrics: over.map((metric) => WireMetric[metric]),
            types,
            byType: byType === "true",
            startTime: timestampFromMs(start),
            endTime: timestampFromMs(end),
            resolution: WireResolution[resolution ?? "MINUTE"],
          }),
        );
  const key = JSON.stringify([metrics, types, byType, timed?.span ?? null]);
  return { metrics, types, byType: byType === "true", timed, key };
};

/** The fields of QueryMetricsResponse, and of GetCurrentMetricsResponse where that was asked for, as one object. */
export const publicAnswer = async (
  api: MetricsApi,
  place: Place,
  { timed, metrics, types, byType }: PublicQuery,
): Promise<string> => {
  const parts: string[] = [];
  if (timed !== null) {
    const answer = create(QueryMetricsResponseSchema, await answerQuery(api, place, timed));
    parts.push(toJsonString(QueryMetricsResponseSchema, answer));
  }
  if (metrics.includes("CURRENT")) {
    const current = await answerCurrent(api, place, { types, byType });
    const answer = create(GetCurrentMetricsResponseSchema, current);
    parts.push(toJsonString(GetCurrentMetricsResponseSchema, answer));
  }
  const fields = parts.map((part) => part.slice(1, -1)).filter((part) => part !== "");
  return `{${fields.join(",")}}`;
};

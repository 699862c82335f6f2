import { durationMs, timestampFromMs, timestampMs } from "@bufbuild/protobuf/wkt";
import { Option } from "commander";

import {
  Metric,
  type MetricPoint,
  type MetricSeries,
  MetricsService,
  QueryMetricsResponseSchema,
  Resolution,
} from "../../gen/millrace/v1/metrics_service_pb.ts";
import { withConnection } from "../connection.ts";
import { EXIT } from "../exit-codes.ts";
import { durationText } from "../job/describe.ts";
import { jsonLine } from "../json.ts";
import { addClientOptions, addExamples, type ClientOptions } from "../options.ts";
import { type Moment, parseMoment, resolveMoment } from "../parse.ts";
import type { Register } from "../program.ts";
import { printLine, type Shell } from "../shell.ts";
import { tableText } from "../table.ts";
import { printableLine } from "../view/printable.ts";
import { chartText } from "./chart.ts";
import {
  METRIC_NAMES,
  metricName,
  parseMetrics,
  parseTypes,
  RESOLUTION_MS,
  RESOLUTIONS,
  typeName,
} from "./names.ts";

type Options = ClientOptions & {
  readonly metrics: readonly Metric[];
  readonly types: readonly string[];
  readonly byType?: boolean;
  readonly since: Moment;
  readonly until?: Moment;
  readonly resolution?: string;
};

const HEADING = ["METRIC", "TYPE", "TOTAL", "OVER TIME"];
const HOUR = 3_600_000;

/** What a chart shows of a point: a count, seconds, or the 95th percentile. */
const heightOf = ({ value }: MetricPoint): number => {
  switch (value.case) {
    case "count":
      return Number(value.value);
    case "seconds":
      return value.value;
    case "distribution":
      return value.value.p95 === undefined ? 0 : durationMs(value.value.p95);
    case undefined:
      return 0;
  }
};

export const pointText = (point: MetricPoint | undefined): string => {
  const value = point?.value;
  switch (value?.case) {
    case "count":
      return `${value.value}`;
    case "seconds":
      return durationText(value.value * 1_000);
    case "distribution": {
      const { count, p50, p95, p99, max } = value.value;
      if (count === 0n) return "none";
      const [half, most, nearly, all] = [p50, p95, p99, max].map((one) =>
        one === undefined ? "" : durationText(durationMs(one)),
      );
      return `${count}: p50 ${half}, p95 ${most}, p99 ${nearly}, max ${all}`;
    }
    case undefined:
      return "";
  }
};

const rowOf =
  (shell: Shell, span: Parameters<typeof chartText>[1]) =>
  (series: MetricSeries): readonly string[] => {
    const points = series.points.map((point) => ({
      at: point.time === undefined ? 0 : timestampMs(point.time),
      value: heightOf(point),
    }));
    const join = series.points[0]?.value.case === "count" ? "sum" : "max";
    return [
      metricName(series.metric),
      series.type === undefined ? "all" : printableLine(typeName(series.type), shell.stdout.isTTY),
      pointText(series.total),
      chartText(points, span, join),
    ];
  };

const query = async (options: Options, shell: Shell) =>
  await withConnection(options, shell, async ({ clientOf }) => {
    const now = shell.clock.now();
    const start = resolveMoment(options.since, now);
    const end = options.until === undefined ? now : resolveMoment(options.until, now);
    const answer = await clientOf(MetricsService).queryMetrics(
      {
        metrics: [...options.metrics],
        types: [...options.types],
        byType: options.byType === true,
        startTime: timestampFromMs(start),
        ...(options.until === undefined ? {} : { endTime: timestampFromMs(end) }),
        resolution: RESOLUTIONS[options.resolution ?? ""] ?? Resolution.UNSPECIFIED,
      },
      { signal: shell.signal },
    );
    if (options.output === "json") {
      printLine(shell.stdout, jsonLine(QueryMetricsResponseSchema, answer));
      return EXIT.ok;
    }
    const stepMs = RESOLUTION_MS[answer.resolution] ?? HOUR;
    const span = { start: Math.floor(start / stepMs) * stepMs, end, stepMs };
    printLine(shell.stdout, tableText(HEADING, answer.series.map(rowOf(shell, span))));
    return EXIT.ok;
  });

export const registerQuery: Register = (parent, shell, act) => {
  const command = parent
    .command("query")
    .description("Shows numbers over time, with a chart: of durations, of their 95th percentiles.")
    .option("--metrics <list>", METRIC_NAMES, parseMetrics, [
      Metric.SUBMITTED,
      Metric.SUCCEEDED,
      Metric.FAILED,
      Metric.TOTAL_DURATION,
    ])
    .option("--types <list>", "only of these types; (script) for inline scripts", parseTypes, [])
    .option("--by-type", "each type by itself")
    .option("--since <time>", "from when on, such as -1h or 2027-01-31", parseMoment, {
      fromNowMs: -HOUR,
    })
    .option("--until <time>", "until when; now, if left out", parseMoment)
    .addOption(
      new Option("--resolution <r>", "the finest that fits, if left out").choices(
        Object.keys(RESOLUTIONS),
      ),
    )
    .action(act(async (options: Options) => await query(options, shell)));
  addExamples(
    addClientOptions(command),
    "millrace metrics query",
    "millrace metrics query --metrics failed,run-duration --by-type --since -7d",
  );
};

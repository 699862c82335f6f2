import { InvalidArgumentError } from "commander";

import { Metric, Resolution } from "../../gen/millrace/v1/metrics_service_pb.ts";

/** `queue-duration` for METRIC_QUEUE_DURATION. */
const METRICS: ReadonlyMap<string, Metric> = new Map(
  Object.entries(Metric)
    .filter(([name]) => name !== "UNSPECIFIED")
    .map(([name, metric]) => [name.toLowerCase().replaceAll("_", "-"), metric]),
);

export const METRIC_NAMES = [...METRICS.keys()].join(", ");

export const metricName = (metric: Metric): string =>
  [...METRICS].find(([, one]) => one === metric)?.[0] ?? String(metric);

/** `a,b`. @throws InvalidArgumentError */
export const parseMetrics = (text: string): Metric[] =>
  text.split(",").map((name) => {
    const metric = METRICS.get(name.trim());
    if (metric !== undefined) return metric;
    throw new InvalidArgumentError(`There are ${METRIC_NAMES}.`);
  });

/** Jobs of inline scripts have no type. */
export const typeName = (type: string): string => (type === "" ? "(script)" : type);

/** `a,b`; `(script)` stands for jobs of inline scripts. */
export const parseTypes = (text: string): string[] =>
  text.split(",").map((name) => (name.trim() === "(script)" ? "" : name.trim()));

export const RESOLUTIONS: Readonly<Record<string, Resolution>> = {
  minute: Resolution.MINUTE,
  hour: Resolution.HOUR,
  day: Resolution.DAY,
};

export const RESOLUTION_MS: Readonly<Record<number, number>> = {
  [Resolution.MINUTE]: 60_000,
  [Resolution.HOUR]: 3_600_000,
  [Resolution.DAY]: 86_400_000,
};

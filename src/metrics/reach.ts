import type { Metric, MetricGrantRow } from "../jobs/metric.ts";

/** What somebody may read: everything, or what was granted. */
export type Reach = "all" | readonly Pick<MetricGrantRow, "metrics" | "types">[];

/** The types of a metric that may be read; null: all. */
export const typesWithin = (reach: Reach, metric: Metric): ReadonlySet<string> | null => {
  if (reach === "all") return null;
  const grants = reach.filter(({ metrics }) => metrics.includes(metric));
  if (grants.some(({ types }) => types.length === 0)) return null;
  return new Set(grants.flatMap(({ types }) => types));
};

/** The first that may not be read, in words; null if all may. No types are all of them. */
export const beyond = (
  reach: Reach,
  metrics: readonly Metric[],
  types: readonly string[],
): string | null => {
  for (const metric of metrics) {
    const allowed = typesWithin(reach, metric);
    if (allowed === null) continue;
    if (allowed.size === 0) return metric;
    if (types.length === 0) return `${metric} of all types`;
    const hidden = types.find((type) => !allowed.has(type));
    if (hidden !== undefined) return `${metric} of the type ${JSON.stringify(hidden)}`;
  }
  return null;
};

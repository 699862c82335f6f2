/** Points of a chart: times in milliseconds, oldest first. */
export type ChartPoint = { readonly at: number; readonly value: number };

const LEVELS = "▁▂▃▄▅▆▇█";
const NOTHING = " ";

/**
 * A chart in one line: `[start, end)` in at most `width` columns of equal length, each as high as what
 * `join` makes of its points in relation to the highest.
 */
export const chartText = (
  points: readonly ChartPoint[],
  span: { readonly start: number; readonly end: number; readonly stepMs: number },
  join: "sum" | "max",
  width = 40,
): string => {
  const steps = Math.max(1, Math.ceil((span.end - span.start) / span.stepMs));
  const perColumn = Math.ceil(steps / width);
  const columns = Array.from({ length: Math.ceil(steps / perColumn) }, () => 0);
  for (const { at, value } of points) {
    const column = Math.floor((at - span.start) / span.stepMs / perColumn);
    const there = columns[column];
    if (there === undefined) continue;
    columns[column] = join === "sum" ? there + value : Math.max(there, value);
  }
  const highest = Math.max(...columns);
  return columns
    .map((value) => {
      if (value === 0) return NOTHING;
      return LEVELS[Math.ceil((value / highest) * LEVELS.length) - 1] ?? NOTHING;
    })
    .join("");
};

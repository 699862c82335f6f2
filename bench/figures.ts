/** Whole number with thousands apart: 12 345. */
export const spaced = (value: number): string =>
  Math.round(value)
    .toString()
    .replace(/\B(?=(\d{3})+$)/g, " ");

/** The value below which the given share of the samples lies. */
export const percentile = (samples: readonly number[], share: number): number => {
  const sorted = [...samples].sort((a, b) => a - b);
  return sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * share))] ?? Number.NaN;
};

/** Runs `work` with `lanes` of it under way at all times, `count` times in all. Answers with seconds. */
export const inLanes = async (
  lanes: number,
  count: number,
  work: (index: number) => Promise<void>,
): Promise<number> => {
  const begun = performance.now();
  let next = 0;
  await Promise.all(
    Array.from({ length: lanes }, async () => {
      while (next < count) {
        next += 1;
        await work(next - 1);
      }
    }),
  );
  return (performance.now() - begun) / 1_000;
};

export type Figure = { readonly name: string; readonly value: string };

export const print = (title: string, figures: readonly Figure[]): void => {
  const width = Math.max(...figures.map(({ name }) => name.length));
  console.log(`\n${title}`);
  for (const { name, value } of figures) console.log(`  ${name.padEnd(width)}  ${value}`);
};

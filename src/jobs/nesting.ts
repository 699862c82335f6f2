/** A value that is neither an array nor an object has no levels, `[]` has one. */
export const isNestedAtMost = (value: unknown, levels: number): boolean =>
  typeof value !== "object" ||
  value === null ||
  (levels > 0 && Object.values(value).every((inner) => isNestedAtMost(inner, levels - 1)));

/** `1e999` is JSON, but reads as Infinity, which no message can carry. */
export const isFiniteThroughout = (value: unknown): boolean => {
  if (typeof value === "number") return Number.isFinite(value);
  if (typeof value !== "object" || value === null) return true;
  return Object.values(value).every(isFiniteThroughout);
};

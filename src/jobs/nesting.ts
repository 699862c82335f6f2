/** A value that is neither an array nor an object has no levels, `[]` has one. */
export const isNestedAtMost = (value: unknown, levels: number): boolean =>
  typeof value !== "object" ||
  value === null ||
  (levels > 0 && Object.values(value).every((inner) => isNestedAtMost(inner, levels - 1)));

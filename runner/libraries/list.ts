/**
 * What scripts may import besides scripts: libraries that work without Node, without a network and
 * without code made from strings. test/runner/libraries.test.ts uses each of them in a sandbox.
 */
export const LIBRARIES: ReadonlyMap<string, Exported> = new Map([
  ["zod", "both"],
  ["date-fns", "names"],
  ["lodash-es", "both"],
  ["papaparse", "default"],
  ["yaml", "both"],
]);

/** Which kinds of exports a library has. */
export type Exported = "names" | "default" | "both";

import { entries } from "./entry.ts";

export const BASICS = entries([
  {
    name: "console",
    doc: "`log`, `info`, `debug`, `dir`, `group`, `count`, `timeEnd` write to STDOUT; `error`, `warn`, `trace`, `assert` to STDERR.",
    declaration: `var console: {
  log(...values: readonly unknown[]): void;
  info(...values: readonly unknown[]): void;
  debug(...values: readonly unknown[]): void;
  dir(value: unknown): void;
  group(...values: readonly unknown[]): void;
  groupEnd(): void;
  count(label?: string): void;
  time(label?: string): void;
  timeEnd(label?: string): void;
  error(...values: readonly unknown[]): void;
  warn(...values: readonly unknown[]): void;
  trace(...values: readonly unknown[]): void;
  assert(condition: unknown, ...values: readonly unknown[]): void;
};`,
  },
  {
    name: "setTimeout",
    doc: "Calls a function later. Answers with a number. What still waits when the script returns is dropped.",
    declaration: `function setTimeout<A extends readonly unknown[]>(
  run: (...args: A) => unknown,
  ms?: number,
  ...args: A
): number;`,
  },
  {
    name: "setInterval",
    doc: "Calls a function again and again.",
    declaration: `function setInterval<A extends readonly unknown[]>(
  run: (...args: A) => unknown,
  ms?: number,
  ...args: A
): number;`,
  },
  {
    name: "clearTimeout",
    doc: "Takes a timer back.",
    declaration: `function clearTimeout(id: number | undefined): void;`,
  },
  {
    name: "clearInterval",
    doc: "Takes a timer back.",
    declaration: `function clearInterval(id: number | undefined): void;`,
  },
  {
    name: "queueMicrotask",
    doc: "Calls a function before anything else happens.",
    declaration: `function queueMicrotask(run: () => void): void;`,
  },
  {
    name: "performance",
    doc: "`now()`: milliseconds since the attempt began, whole ones, never going back.",
    declaration: `var performance: { now(): number };`,
  },
  {
    name: "self",
    doc: "The global object.",
    declaration: `var self: typeof globalThis;`,
  },
  {
    name: "structuredClone",
    doc: "A deep copy; moves the ArrayBuffers in `transfer`. Class instances become plain objects.",
    declaration: `function structuredClone<T>(
  value: T,
  options?: { readonly transfer?: readonly ArrayBuffer[] },
): T;`,
  },
]);

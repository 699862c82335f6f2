import type { Log } from "../src/runtime/log.ts";

const textOf = (value: unknown): string =>
  value instanceof Error
    ? value.message
    : typeof value === "string"
      ? value
      : JSON.stringify(value);

const write = (facts: object, message: string): void => {
  const told = Object.entries(facts).map(([name, value]) => ` ${name}=${textOf(value)}`);
  process.stderr.write(`millrace: ${message}${told.length === 0 ? "" : `:${told.join("")}`}\n`);
};

const nothing = (): void => {};

/** For applications that bring no log: warnings and errors, a line each, on standard error. */
export const stderrLog: Log = { debug: nothing, info: nothing, warn: write, error: write };

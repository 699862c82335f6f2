import { InvalidArgumentError } from "commander";

/* Texts of the command line to values. Each throws InvalidArgumentError with what was expected. */

const UNIT_MS: Readonly<Record<string, number>> = {
  ms: 1,
  s: 1_000,
  m: 60_000,
  h: 3_600_000,
  d: 86_400_000,
};

/** `500ms`, `30s`, `5m`, `2h` or `7d`, in milliseconds. */
export const parseDurationMs = (text: string): number => {
  const match = /^(\d+(?:\.\d+)?)(ms|s|m|h|d)$/.exec(text);
  const unit = UNIT_MS[match?.[2] ?? ""];
  if (match === null || unit === undefined) {
    throw new InvalidArgumentError("A duration looks like 500ms, 30s, 5m, 2h or 7d.");
  }
  return Math.round(Number(match[1]) * unit);
};

/** A point in time: ISO 8601 with a zone, or a duration from now such as `+10m` or `-1h`. */
export type Moment = { readonly at: number } | { readonly fromNowMs: number };

export const parseMoment = (text: string): Moment => {
  if (text.startsWith("+")) return { fromNowMs: parseDurationMs(text.slice(1)) };
  if (text.startsWith("-")) return { fromNowMs: -parseDurationMs(text.slice(1)) };
  const zoned = /^\d{4}-\d{2}-\d{2}(T\d{2}:\d{2}(:\d{2}(\.\d+)?)?(Z|[+-]\d{2}:\d{2}))?$/.test(text);
  const at = Date.parse(text);
  if (!zoned || Number.isNaN(at)) {
    throw new InvalidArgumentError(
      "A time looks like 2027-01-31T08:00:00Z, 2027-01-31 (UTC), +10m or -1h.",
    );
  }
  return { at };
};

export const resolveMoment = (moment: Moment, now: number): number =>
  "at" in moment ? moment.at : now + moment.fromNowMs;

export const parseInteger = (text: string): number => {
  if (!/^-?\d{1,15}$/.test(text)) throw new InvalidArgumentError("A whole number is expected.");
  return Number(text);
};

/** Collects `key=value` options into a record. A value may hold further `=`. */
export const collectPairs = (
  text: string,
  before: Readonly<Record<string, string>> = {},
): Record<string, string> => {
  const at = text.indexOf("=");
  if (at < 1) throw new InvalidArgumentError("It looks like key=value.");
  return { ...before, [text.slice(0, at)]: text.slice(at + 1) };
};

/** Collects repeated options into a list. */
export const collect = (text: string, before: readonly string[] = []): string[] => [
  ...before,
  text,
];

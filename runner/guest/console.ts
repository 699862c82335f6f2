import type { Output, Stream } from "./output.ts";
import { GuestMap, mapGet, mapSet, now, toText } from "./primordials.ts";

type Print = (...values: readonly unknown[]) => void;

/** The `console` of a script: STDOUT for log, info and debug; STDERR for the rest. */
export const createConsole = (output: Output): object => {
  const to =
    (stream: Stream): Print =>
    (...values) => {
      output.print(stream, values);
    };
  const out = to("STDOUT");
  const err = to("STDERR");
  const started = new GuestMap<string, number>();
  const counts = new GuestMap<string, number>();

  return {
    log: out,
    info: out,
    debug: out,
    dir: (value: unknown) => {
      out(value);
    },
    group: out,
    groupEnd: () => {},
    error: err,
    warn: err,
    trace: err,
    assert: (condition: unknown, ...values: readonly unknown[]) => {
      if (condition === true || Boolean(condition)) return;
      output.print("STDERR", values.length === 0 ? ["Assertion failed"] : values);
    },
    count: (label: unknown = "default") => {
      const name = toText(label);
      const count = ((mapGet(counts, name) as number | undefined) ?? 0) + 1;
      mapSet(counts, name, count);
      output.write("STDOUT", `${name}: ${count}`);
    },
    time: (label: unknown = "default") => {
      mapSet(started, toText(label), now());
    },
    timeEnd: (label: unknown = "default") => {
      const name = toText(label);
      const since = mapGet(started, name) as number | undefined;
      if (since !== undefined) output.write("STDOUT", `${name}: ${now() - since}ms`);
    },
  };
};

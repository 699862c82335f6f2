import { type Attempt, post } from "./bridge.ts";
import { inspect } from "./inspect.ts";
import { indexOfText, min, sliceText, toText } from "./primordials.ts";

export type Stream = "STDOUT" | "STDERR" | "LOG";

/**
 * Rows of output. The credits live here, so that a million log calls cost the host nothing. They
 * are a little more than the cap: the host says so when it drops the first row.
 */
export type Output = {
  /** Text as rows, one per line. */
  write(stream: Stream, text: string): void;
  /** Values as console.log would show them. */
  print(stream: Stream, values: readonly unknown[]): void;
};

export const createOutput = (attempt: Attempt): Output => {
  let lines = attempt.outputLines;
  let chars = attempt.outputChars;

  const row = (stream: Stream, text: string): void => {
    if (lines <= 0) return;
    const cut = sliceText(text, 0, min(attempt.lineChars, chars));
    lines -= 1;
    chars -= cut.length;
    if (chars <= 0) lines = 0;
    post("output", stream, cut);
  };

  const write = (stream: Stream, text: string): void => {
    let from = 0;
    while (lines > 0) {
      const newline = indexOfText(text, "\n", from);
      if (newline === -1) break;
      row(stream, sliceText(text, from, newline));
      from = newline + 1;
    }
    row(stream, from === 0 ? text : sliceText(text, from));
  };

  return {
    write,
    print: (stream, values) => {
      // Nothing is formatted that nobody will see.
      if (lines > 0) write(stream, format(values, attempt));
    },
  };
};

const format = (values: readonly unknown[], attempt: Attempt): string => {
  const first = values[0];
  let used = 0;
  let text = "";
  if (typeof first === "string") {
    used = 1;
    let from = 0;
    for (let at = indexOfText(first, "%"); at !== -1; at = indexOfText(first, "%", from)) {
      const directive = first[at + 1];
      text += sliceText(first, from, at);
      from = at + 2;
      if (directive === "%") text += "%";
      else if (isDirective(directive) && used < values.length)
        text += directed(directive, values[used++], attempt);
      else text += sliceText(first, at, from);
    }
    text += sliceText(first, from);
  }
  for (let i = used; i < values.length; i++) {
    text += `${i === 0 ? "" : " "}${inspect(values[i], attempt.fileName, attempt.lineChars)}`;
  }
  return text;
};

type Directive = "s" | "d" | "i" | "f" | "j" | "o" | "O" | "c";

const isDirective = (letter: string | undefined): letter is Directive =>
  letter !== undefined && letter !== "" && indexOfText("sdifjoOc", letter) !== -1;

const directed = (directive: Directive, value: unknown, attempt: Attempt): string => {
  if (directive === "c") return "";
  if (directive === "s" && typeof value !== "object") return toText(value);
  return inspect(value, attempt.fileName, attempt.lineChars);
};

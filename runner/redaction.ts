import type { Assignment, Ending, Executor, Report } from "./executor.ts";

/** What stands where a secret was. */
const MARK = "[redacted]";
const MARK_BYTES = Buffer.from(MARK);

/** Takes certain values out of whatever leaves an attempt. What holds none comes back as it is. */
export type Redaction = {
  text(text: string): string;
  /** JSON in, JSON out. */
  json(text: string): string;
  bytes(bytes: Buffer): Buffer;
};

/**
 * How a value is looked for: as it is, in a URL and in form data, in JSON, and in base64 at each of
 * the three places that it can have between its neighbours there.
 */
export const formsOf = (value: string): readonly string[] => {
  if (value === "") return [];
  const encoded = [0, 1, 2].map((offset) => insideBase64(value, offset));
  return [
    ...new Set([
      value,
      encodeURIComponent(value.toWellFormed()),
      encodeURI(value.toWellFormed()),
      new URLSearchParams([[value, ""]]).toString().slice(0, -1),
      JSON.stringify(value).slice(1, -1),
      ...encoded,
      ...encoded.map((text) => text.replaceAll("+", "-").replaceAll("/", "_")),
    ]),
  ];
};

/** The characters of base64 that `value` alone decides when `offset` bytes, modulo 3, are before it. */
const insideBase64 = (value: string, offset: number): string => {
  const bytes = Buffer.concat([Buffer.alloc(offset), Buffer.from(value)]);
  const first = Math.ceil((offset * 8) / 6);
  return bytes.toString("base64").slice(first, Math.floor((bytes.length * 8) / 6));
};

/** `forms` come from `formsOf`; they are asked for when there is something to look at. */
export const createRedaction = (forms: () => readonly string[]): Redaction => {
  let known: readonly string[] | null = null;
  // The longest first: one form may be part of another.
  const all = (): readonly string[] => (known ??= forms().toSorted((a, b) => b.length - a.length));

  const text = (given: string): string => {
    let clean = given;
    for (const form of all()) if (clean.includes(form)) clean = clean.replaceAll(form, MARK);
    return clean;
  };

  const value = (given: unknown): unknown => {
    if (typeof given === "string") return text(given);
    if (typeof given === "number") return text(String(given)) === String(given) ? given : MARK;
    if (Array.isArray(given)) return given.map(value);
    if (typeof given !== "object" || given === null) return given;
    const entries = Object.entries(given).map(([key, inner]) => [text(key), value(inner)] as const);
    return Object.fromEntries(entries);
  };

  return {
    text,
    json: (given) =>
      text(given) === given ? given : JSON.stringify(value(JSON.parse(given) as unknown)),
    bytes: (given) => {
      let clean = given;
      for (const form of all()) clean = withoutForm(clean, Buffer.from(form));
      return clean;
    },
  };
};

const withoutForm = (bytes: Buffer, form: Buffer): Buffer => {
  let found = bytes.indexOf(form);
  if (found === -1) return bytes;
  const kept: Buffer[] = [];
  let from = 0;
  for (; found !== -1; found = bytes.indexOf(form, from)) {
    kept.push(bytes.subarray(from, found), MARK_BYTES);
    from = found + form.length;
  }
  return Buffer.concat([...kept, bytes.subarray(from)]);
};

/** Of work that is handed the job's token. */
export const tokenRedaction = ({ jobToken }: Assignment): Redaction =>
  createRedaction(() => formsOf(jobToken));

/** The same executor, but what it says of an attempt holds nothing that `redactionOf` takes out. */
export const redacted = (
  executor: Executor,
  redactionOf: (assignment: Assignment) => Redaction,
): Executor => ({
  ...executor,
  execute: async (assignment, report, signal) => {
    const redaction = redactionOf(assignment);
    const ending = await executor.execute(assignment, redactedReport(report, redaction), signal);
    return redactedEnding(ending, redaction);
  },
});

const redactedReport = (report: Report, redaction: Redaction): Report => ({
  output: (stream, text) => {
    report.output(stream, redaction.text(text));
  },
  progress: (progress) => {
    report.progress({ ...progress, message: redaction.text(progress.message) });
  },
  steps: {
    find: async (name) => await report.steps.find(redaction.text(name)),
    finish: async (name, result) => {
      await report.steps.finish(redaction.text(name), redaction.json(result));
    },
  },
  children: {
    submit: async (name, spec) =>
      await report.children.submit(redaction.text(name), redaction.json(spec)),
    wait: async (jobId) => await report.children.wait(jobId),
  },
});

const redactedEnding = (ending: Ending, redaction: Redaction): Ending => {
  switch (ending.kind) {
    case "succeeded":
      return { ...ending, result: redaction.json(ending.result) };
    case "failed": {
      const { message, stack } = ending.error;
      const error = {
        ...ending.error,
        message: redaction.text(message),
        stack: redaction.text(stack),
      };
      return { ...ending, error };
    }
    case "cancelled":
      return ending;
  }
};

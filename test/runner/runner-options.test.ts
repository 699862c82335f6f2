import { expect, it } from "vitest";

import { createRunner, JobError, RunnerOptionsFault } from "../../runner/index.ts";

const good = {
  url: "http://127.0.0.1:7411",
  credential: "mr_x",
  handlers: { work: { execute: () => null } },
};

/** What is said of `options`, each fault with its place. */
const faultOf = (options: object): string => {
  try {
    createRunner({ ...good, ...options });
  } catch (fault) {
    expect(fault).toBeInstanceOf(RunnerOptionsFault);
    return (fault as Error).message;
  }
  return "none";
};

it("a runner is made of a URL, a credential and a handler; nothing starts yet", () => {
  expect(faultOf({})).toBe("none");
});

it.each<[string, object, RegExp]>([
  ["no credential", { credential: undefined }, /is missing: a runner's token.*\n.*at credential/],
  ["an empty credential", { credential: "" }, /is empty: a runner's token.*\n.*at credential/],
  ["no URL", { url: undefined }, /must be the http or https URL.*\n.*at url/],
  ["the URL of something else", { url: "ftp://host" }, /must be the http or https URL/],
  ["no handlers", { handlers: {} }, /must be 1 to 1000 handlers; there are 0\n.*at handlers/],
  ["a bad name", { handlers: { "a b": good.handlers.work } }, /"a b" is no name of a handler/],
  [
    "a handler that is a function",
    { handlers: { a: () => 1 } },
    /must be \{ input, execute \}\n.*handlers\.a/,
  ],
  [
    "a handler that does nothing",
    { handlers: { a: {} } },
    /must be a function\n.*handlers\.a\.execute/,
  ],
  [
    "an input that is no schema",
    { handlers: { a: { ...good.handlers.work, input: {} } } },
    /must be a Standard Schema\n.*handlers\.a\.input/,
  ],
  [
    "an unknown option of a handler",
    { handlers: { a: { ...good.handlers.work, schema: 1 } } },
    /"schema"\n.*handlers\.a/,
  ],
  ["an unknown option", { concurrency: 4 }, /"concurrency"/],
  ["no slots", { slots: 0 }, />=1\n.*at slots/],
  ["a log that lacks a level", { log: { info: () => {} } }, /must be a function\n.*at log\.debug/],
])("%s is told with its place", (_, options, message) => {
  expect(faultOf(options)).toMatch(message);
});

it("a failure's code is small letters in parts with dots", () => {
  expect(new JobError("mail.rejected", "no").retryable).toBe(true);
  expect(() => new JobError("Mail", "no")).toThrow('"Mail" is no code of a failure');
});

import fc from "fast-check";
import { expect, it } from "vitest";

import { type Ending, type Executor, type Report, unmeasured } from "../../runner/executor.ts";
import { createRedaction, formsOf, redacted, tokenRedaction } from "../../runner/redaction.ts";
import { assignment } from "../support/egress-site.ts";

const VALUE = 'p"ss/w+rd\\ä 12345';
const redaction = createRedaction(() => formsOf(VALUE));

it.each([
  ["as it is", VALUE],
  ["in a URL", encodeURIComponent(VALUE)],
  ["in JSON", JSON.stringify({ a: VALUE })],
  ["in base64", Buffer.from(VALUE).toString("base64")],
  ["in base64url", Buffer.from(VALUE).toString("base64url")],
])("a value is taken out %s", (_, text) => {
  expect(redaction.text(`before ${text} after`)).toMatch(/^before .*\[redacted\].* after$/);
  expect(redaction.text(text)).not.toContain(VALUE.slice(0, 4));
});

it("base64 is found whatever stands before and after the value in it", () => {
  fc.assert(
    fc.property(
      fc.uint8Array({ maxLength: 9 }),
      fc.uint8Array({ maxLength: 9 }),
      (before, after) => {
        const text = Buffer.concat([before, Buffer.from(VALUE), after]).toString("base64");
        expect(redaction.text(text)).toContain("[redacted]");
      },
    ),
  );
});

it("what holds no value comes back as it is", () => {
  const bytes = Buffer.from([0, 255, 1, 2]);
  expect(redaction.bytes(bytes)).toBe(bytes);
  expect(redaction.text("nothing")).toBe("nothing");
  expect(redaction.json('{"a": 1}')).toBe('{"a": 1}');
});

it("bytes around a value stay as they are", () => {
  const text = Buffer.from(`${VALUE} and ${VALUE}`);
  const bytes = Buffer.concat([Buffer.from([0, 255]), text, Buffer.from([254])]);
  const clean = Buffer.concat([
    Buffer.from([0, 255]),
    Buffer.from("[redacted] and [redacted]"),
    Buffer.from([254]),
  ]);
  expect(redaction.bytes(bytes)).toEqual(clean);
});

it("JSON stays JSON, also when the value is a number", () => {
  const digits = createRedaction(() => formsOf("12345678"));
  const clean = digits.json('{"a":12345678,"b":["x 12345678"],"12345678":null,"c":1.5}');
  expect(JSON.parse(clean)).toEqual({
    a: "[redacted]",
    b: ["x [redacted]"],
    "[redacted]": null,
    c: 1.5,
  });
});

it("an executor that is handed the token says it nowhere", async () => {
  const said: unknown[] = [];
  const report: Report = {
    output: (stream, text) => said.push(stream, text),
    progress: (progress) => said.push(progress),
    steps: {
      find: async (name) => await Promise.resolve(void said.push(name)),
      finish: async (name, result) => await Promise.resolve(void said.push(name, result)),
    },
    children: {
      submit: async (name, spec) => {
        said.push(name, spec);
        return await Promise.resolve("a child");
      },
      wait: async () => await Promise.resolve("null"),
    },
  };
  const { jobToken } = assignment();
  const tell = (ending: Ending): Executor => ({
    execute: async (given, { output, progress, steps, children }) => {
      output("STDOUT", `token ${given.jobToken}`);
      progress({ fraction: 0, message: jobToken, currentStep: 0, totalSteps: 0 });
      await steps.finish(`step ${jobToken}`, JSON.stringify([jobToken]));
      await children.submit(`child ${jobToken}`, JSON.stringify({ input: jobToken }));
      return ending;
    },
  });
  const run = async (ending: Ending) =>
    await redacted(tell(ending), tokenRedaction).execute(
      assignment(),
      report,
      new AbortController().signal,
    );
  const result = JSON.stringify({ token: jobToken });
  expect(await run({ kind: "succeeded", result, ...unmeasured })).toMatchObject({
    result: '{"token":"[redacted]"}',
  });
  const error = {
    code: "handler.threw",
    message: jobToken,
    stack: `at ${jobToken}`,
    retryable: true,
  };
  expect(await run({ kind: "failed", error, ...unmeasured })).toMatchObject({
    error: { message: "[redacted]", stack: "at [redacted]" },
  });
  expect(said).toContain("token [redacted]");
  expect(said).toContain('["[redacted]"]');
  expect(JSON.stringify(said)).not.toContain(jobToken);
});

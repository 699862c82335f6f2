import { PassThrough } from "node:stream";
import { text } from "node:stream/consumers";

import { create } from "@bufbuild/protobuf";
import { timestampFromMs } from "@bufbuild/protobuf/wkt";
import { expect, test } from "vitest";

import { durationText, exitCodeOf, jobText, outcomeText } from "../../src/cli/job/describe.ts";
import { resultText } from "../../src/cli/job/result-text.ts";
import { createPlainView } from "../../src/cli/view/plain-view.ts";
import { printable, printableLine } from "../../src/cli/view/printable.ts";
import { JobSchema, JobState } from "../../src/gen/millrace/v1/job_pb.ts";
import { WatchJobResponseSchema } from "../../src/gen/millrace/v1/job_service_pb.ts";

const failed = create(JobSchema, {
  id: "j",
  state: JobState.FAILED,
  startTime: timestampFromMs(1_000),
  endTime: timestampFromMs(3_500),
  error: { code: "timeout.cpu", message: "used more than 5 s of CPU" },
});

test.each([
  [340, "340 ms"],
  [12_400, "12.4 s"],
  [200_000, "3 min 20 s"],
  [7_500_000, "2 h 5 min"],
])("%d ms reads as %s", (ms, read) => {
  expect(durationText(ms)).toBe(read);
});

test("the outcome of a failed job tells why, and how long it took", () => {
  expect(outcomeText(failed)).toBe(
    "Job j failed after 2.5 s: timeout.cpu: used more than 5 s of CPU",
  );
});

test("each way to end has its exit code", () => {
  expect([JobState.SUCCEEDED, JobState.FAILED, JobState.CANCELLED].map(exitCodeOf)).toEqual([
    0, 1, 3,
  ]);
});

test("a job's facts leave out what is not set", () => {
  expect(jobText(failed)).toMatch(/^error {2,}timeout\.cpu/m);
  expect(jobText(failed)).not.toContain("labels");
});

test("a terminal gets no control sequences from a job, a pipe gets its text as it is", () => {
  const hostile = "\u001b[2Jgone\u001b]0;title\u0007\r\u009b31mred";
  // oxlint-disable-next-line no-control-regex
  expect(printableLine(`${hostile}\n`, true)).not.toMatch(/[\u0000-\u001f\u007f-\u009f]/);
  expect(printable("two\nlines", true)).toBe("two\nlines");
  expect(printable(hostile, false)).toBe(hostile);
});

test("a result is indented for people, one line for machines, and a text as it is", () => {
  expect(resultText({ a: 1 }, { output: "text" })).toBe('{\n  "a": 1\n}');
  expect(resultText({ a: 1 }, { output: "json" })).toBe('{"a":1}');
  expect(resultText({ a: "line\nline" }, { output: "text", field: "a" })).toBe("line\nline");
  expect(() => resultText({}, { output: "text", field: "toString" })).toThrow("no field toString");
});

test("a log gets the rows on stdout, and a line of progress for each step or tenth", async () => {
  const [stdout, stderr] = [new PassThrough(), new PassThrough()];
  const view = createPlainView(stdout, stderr);
  for (const fraction of [0, 0.02, 0.04, 0.06, 0.5, 0.51]) {
    view.show(
      create(WatchJobResponseSchema, {
        job: { state: JobState.RUNNING, progress: { fraction } },
        output: [{ text: `at ${fraction}` }],
      }),
    );
  }
  stdout.end();
  stderr.end();
  expect((await text(stdout)).trim().split("\n")).toHaveLength(6);
  expect((await text(stderr)).trim().split("\n")).toEqual(["RUNNING    0 %", "RUNNING    50 %"]);
});

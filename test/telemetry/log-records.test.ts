import { type LogRecord, SeverityNumber } from "@opentelemetry/api";
import { expect, it } from "vitest";

import { logRecords } from "../../src/telemetry/log-records.ts";

const recordsOf = (...lines: readonly string[]): readonly LogRecord[] => {
  const records: LogRecord[] = [];
  const send = logRecords({ emit: (record) => records.push(record) });
  for (const line of lines) send(line);
  return records;
};

const facts = { level: 40, time: 1_700_000_000_000, msg: "a notice is tried again" };

it("a line of the log is a record with its severity, time, sentence and facts", () => {
  const line = { ...facts, service: "millrace", trace_id: "t", job_id: "j", shards: [1, 2] };
  expect(recordsOf(JSON.stringify(line))).toEqual([
    {
      timestamp: facts.time,
      severityNumber: SeverityNumber.WARN,
      severityText: "WARN",
      body: facts.msg,
      attributes: { job_id: "j", shards: [1, 2] },
    },
  ]);
});

it.each(["err", "error"])(
  "an exception under %s is told in the names of the conventions",
  (name) => {
    const thrown = { type: "TypeError", message: "no", stack: "TypeError: no\n  at x" };
    const [record] = recordsOf(JSON.stringify({ ...facts, [name]: thrown }));
    expect(record?.attributes).toEqual({
      "exception.type": "TypeError",
      "exception.message": "no",
      "exception.stacktrace": thrown.stack,
    });
  },
);

it("a line that is no JSON, or of a level that nobody knows, harms nobody", () => {
  expect(recordsOf("not JSON\n")).toEqual([]);
  const [record] = recordsOf(JSON.stringify({ ...facts, level: 35, err: "a text" }));
  expect(record).toMatchObject({ severityNumber: SeverityNumber.UNSPECIFIED, attributes: {} });
});

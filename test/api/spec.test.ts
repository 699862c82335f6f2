import { describe, expect, it } from "vitest";

import { valueOf } from "../../src/api/convert/json-value.ts";
import type { TypedWork } from "../../src/api/convert/typed-work.ts";
import { ScriptLanguage } from "../../src/gen/millrace/v1/job_pb.ts";
import { DEFAULT_RETRY_POLICY } from "../../src/jobs/retry.ts";
import { aJobId } from "../support/job-row.ts";
import {
  faultOf,
  ME,
  NOW,
  type Request,
  script,
  seconds,
  submissionOf,
  typed,
} from "../support/submission.ts";

describe("a submission", () => {
  it("of a script alone gets the documented defaults", () => {
    const {
      job,
      spec,
      script: row,
      request,
      idIsChosen,
    } = submissionOf({ spec: { work: script } });
    expect(job).toMatchObject({
      capability: "script",
      type: "",
      priority: 0,
      creatorId: ME,
      runAs: ME,
      attemptTimeoutMs: 30_000,
      deadlineAt: null,
      retryPolicy: DEFAULT_RETRY_POLICY,
      concurrencyPolicy: "QUEUE",
      runAt: NOW,
    });
    expect(spec.input).toBe("null");
    expect(spec.scriptHash).toBe(row?.hash);
    expect(request).toBeNull();
    expect(idIsChosen).toBe(false);
  });

  it("has its total timeout counted from the later of now and run_at", () => {
    const totalTimeout = seconds(60);
    const work = script;
    expect(submissionOf({ spec: { work, totalTimeout } }).job.deadlineAt).toBe(NOW + 60_000);
    const runAt = seconds(NOW / 1_000 + 100);
    expect(submissionOf({ spec: { work, totalTimeout, runAt } }).job.deadlineAt).toBe(
      NOW + 160_000,
    );
    const past = seconds(NOW / 1_000 - 100);
    expect(submissionOf({ spec: { work, runAt: past } }).job.runAt).toBe(NOW);
  });

  it("tells everything that is wrong at once, each with its path, the limit and the value", () => {
    const fault = faultOf(
      {
        jobId: "nope",
        requestId: "x".repeat(101),
        spec: {
          priority: 101,
          name: "n".repeat(201),
          attemptTimeout: { nanos: 5_000_000 },
          totalTimeout: { seconds: 1n, nanos: -1 },
          retryPolicy: { maxRetries: -1, jitter: 2, initialBackoff: seconds(-1) },
          labels: { "bad key": "x", ok: "v".repeat(201) },
          runAt: seconds(99_999_999_999),
          concurrencyPolicy: 2,
          input: { kind: { case: "numberValue", value: Number.NaN } },
        },
      },
      "requests[3].",
    );
    expect(fault.reason).toBe("INVALID_ARGUMENT");
    expect(fault.faults.map(({ field }) => field).toSorted()).toEqual(
      [
        "job_id",
        "request_id",
        "spec.attempt_timeout",
        "spec.concurrency_key",
        "spec.input",
        'spec.labels["bad key"]',
        'spec.labels["ok"]',
        "spec.name",
        "spec.priority",
        "spec.retry_policy.initial_backoff",
        "spec.retry_policy.jitter",
        "spec.retry_policy.max_retries",
        "spec.run_at",
        "spec.total_timeout",
        "spec.work",
      ].map((field) => `requests[3].${field}`),
    );
    expect(fault.faults.find(({ field }) => field.endsWith("priority"))?.description).toBe(
      "must be -100 to 100; it is 101.",
    );
  });

  it("without a spec is told so", () => {
    expect(faultOf({}).faults).toEqual([{ field: "spec", description: "is missing." }]);
  });

  it("with a syntax error points at the author's line and column", () => {
    const value = {
      source: "const a = 1;\nexport default = 3;",
      language: ScriptLanguage.TYPESCRIPT,
    };
    const fault = faultOf({ spec: { work: { case: "script", value } } });
    expect(fault.faults).toEqual([
      { field: "spec.script.source", description: expect.stringContaining("at line 2, column 16") },
    ]);
  });

  it("larger than its limits is refused with both sizes", () => {
    const source = `export default ${JSON.stringify("x".repeat(256 * 1_024))}`;
    expect(faultOf({ spec: { work: { case: "script", value: { source } } } }).message).toMatch(
      /262144 bytes; it has 262\d+/,
    );
    const input = { kind: { case: "stringValue" as const, value: "x".repeat(1_048_576) } };
    expect(faultOf({ spec: { work: script, input } }).message).toMatch(
      /1048576 bytes as JSON; it has 1048578/,
    );
  });

  it("with a callback owes a notice from the beginning", () => {
    const url = "https://example.org/hook?a=1";
    expect(submissionOf({ spec: { work: script, callback: { url } } }).job).toMatchObject({
      callbackUrl: url,
      callbackState: "PENDING",
    });
    expect(submissionOf({ spec: { work: script } }).job.callbackState).toBe("NONE");
  });

  it.each([
    ["", "is missing."],
    ["nowhere", "must be an absolute URL."],
    ["ftp://example.org/", "must begin with http:// or https://; it begins with ftp:."],
    ["https://me:secret@example.org/", "must not hold a user or a password."],
    ["https://127.0.0.1/", "must lead to a public address; 127.0.0.1 is none"],
    ["https://0x7f.1/", "must lead to a public address; 127.0.0.1 is none"],
    ["http://[::ffff:a9fe:a9fe]/", "must lead to a public address; ::ffff:a9fe:a9fe is none"],
    [`https://${"a".repeat(254)}/`, "must have a host name of at most 253 characters; it has 254."],
    [`https://example.org/${"x".repeat(2_029)}`, "must have at most 2048 characters; it has 2049."],
  ])("whose callback is %s is refused", (url, why) => {
    const { reason, faults } = faultOf({ spec: { work: script, callback: { url } } });
    expect(reason).toBe("INVALID_ARGUMENT");
    expect(faults).toEqual([
      { field: "spec.callback.url", description: expect.stringContaining(why) },
    ]);
  });

  it("of a script has no version to choose", () => {
    const fault = faultOf({ spec: { work: script, typeVersion: 2 } });
    expect(fault.faults).toEqual([
      { field: "spec.type_version", description: "must be 0 with a script; it is 2." },
    ]);
  });

  it("acts for whom it was found to, and is refused where nobody was found", () => {
    expect(submissionOf({ spec: { work: script, runAs: ME } }).job.runAs).toBe(ME);
    const fault = faultOf({ spec: { work: script, runAs: "nobody" } }, "", null);
    expect(fault.reason).toBe("INVALID_ARGUMENT");
    expect(fault.faults.map((one) => one.field)).toEqual(["spec.run_as"]);
  });
});

describe("the fingerprint of a submission", () => {
  const fingerprint = (request: Request, type: TypedWork | null = null) =>
    submissionOf({ requestId: "r", ...request }, "", undefined, type).request?.fingerprint;
  const object = (fields: Record<string, number>) => valueOf(JSON.stringify(fields));

  it("is the same whatever the order of keys", () => {
    const one = fingerprint({
      spec: { work: script, input: object({ a: 1, b: 2 }), labels: { x: "1", y: "2" } },
    });
    const two = fingerprint({
      spec: { work: script, input: object({ b: 2, a: 1 }), labels: { y: "2", x: "1" } },
    });
    expect(one).toBe(two);
  });

  it("changes with every part of the content", () => {
    const base = { work: script, input: object({ a: 1 }) };
    const all = [
      fingerprint({ spec: base }),
      fingerprint({ spec: { ...base, priority: 1 } }),
      fingerprint({ spec: { ...base, input: object({ a: 2 }) } }),
      fingerprint({ spec: { ...base, work: { case: "type", value: "t" } } }, typed()),
      fingerprint({ spec: base, jobId: aJobId() }),
    ];
    expect(new Set(all).size).toBe(all.length);
  });

  it("does not depend on the request id", () => {
    const spec = { work: script };
    expect(submissionOf({ spec, requestId: "a" }).request?.fingerprint).toBe(
      submissionOf({ spec, requestId: "b" }).request?.fingerprint,
    );
  });
});

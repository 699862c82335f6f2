import { describe, expect, it } from "vitest";

import { NO_DEFAULTS } from "../../src/catalog/job-type.ts";
import { DEFAULT_RETRY_POLICY } from "../../src/jobs/retry.ts";
import { NOW, type Request, seconds, submissionOf, typed } from "../support/submission.ts";

describe("a submission of a type", () => {
  it("asks for what its version runs, and keeps that version", () => {
    const spec = { work: { case: "type" as const, value: "mail.send" } };
    const { job, script: row } = submissionOf({ spec }, "", undefined, typed({ version: 3 }));
    expect(job).toMatchObject({
      capability: "handler:mailer",
      type: "mail.send",
      typeVersion: 3,
    });
    expect(row).toBeNull();
  });

  it("takes from it what it does not say itself", () => {
    const defaults = {
      priority: 5,
      attemptTimeoutMs: 1_000,
      totalTimeoutMs: 9_000,
      retryPolicy: { maxRetries: 7, jitter: 0 },
      labels: { team: "mail", kind: "out" },
      concurrencyKey: "smtp",
      concurrencyPolicy: "REJECT" as const,
    };
    const given = (spec: Request["spec"]) =>
      submissionOf(
        { spec: { work: { case: "type", value: "mail.send" }, ...spec } },
        "",
        undefined,
        typed({ defaults }),
      ).job;
    expect(given({})).toMatchObject({
      priority: 5,
      attemptTimeoutMs: 1_000,
      deadlineAt: NOW + 9_000,
      retryPolicy: { ...DEFAULT_RETRY_POLICY, maxRetries: 7, jitter: 0 },
      labels: { team: "mail", kind: "out" },
      concurrencyKey: "smtp",
      concurrencyPolicy: "REJECT",
    });
    expect(
      given({
        priority: -1,
        attemptTimeout: seconds(2),
        totalTimeout: seconds(3),
        retryPolicy: { maxRetries: 0 },
        labels: { team: "billing" },
        concurrencyKey: "mine",
        concurrencyPolicy: 1,
      }),
    ).toMatchObject({
      priority: -1,
      attemptTimeoutMs: 2_000,
      deadlineAt: NOW + 3_000,
      retryPolicy: { ...DEFAULT_RETRY_POLICY, maxRetries: 0, jitter: 0 },
      labels: { team: "billing", kind: "out" },
      concurrencyKey: "mine",
      concurrencyPolicy: "QUEUE",
    });
  });

  it("may not have more labels than fit together with the type's", () => {
    const labels = (prefix: string) =>
      Object.fromEntries(Array.from({ length: 20 }, (_, n) => [`${prefix}${n}`, ""]));
    const request = {
      spec: { work: { case: "type" as const, value: "mail.send" }, labels: labels("a") },
    };
    const type = typed({ defaults: { ...NO_DEFAULTS, labels: labels("b") } });
    expect(() => submissionOf(request, "", undefined, type)).toThrow(
      "spec.labels must be at most 32; there are 40, 20 of them of the type.",
    );
  });
});

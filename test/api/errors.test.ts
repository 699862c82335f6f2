import { inspect } from "node:util";

import { toBinary } from "@bufbuild/protobuf";
import { anyUnpack } from "@bufbuild/protobuf/wkt";
import { Code, ConnectError } from "@connectrpc/connect";
import { describe, expect, it } from "vitest";

import { toConnectError, toStatus } from "../../src/api/errors.ts";
import {
  ErrorInfoSchema,
  PreconditionFailureSchema,
} from "../../src/gen/google/rpc/error_details_pb.ts";
import { StatusSchema } from "../../src/gen/google/rpc/status_pb.ts";
import { JobFault, jobNotFound, REASONS } from "../../src/jobs/errors.ts";
import { refusalOf } from "../support/refusal.ts";

const told = async (caught: unknown) => await refusalOf(Promise.reject(toConnectError(caught)));

describe("an error on its way to the caller", () => {
  it.each(REASONS)("with the reason %s carries it in an ErrorInfo", async (reason) => {
    expect(await told(new JobFault(reason, "no"))).toMatchObject({ reason });
  });

  it("that nobody foresaw is INTERNAL, and tells nothing of its cause", () => {
    const error = toConnectError(new Error("secret: /etc/passwd"));
    expect(error.code).toBe(Code.Internal);
    expect(inspect([error.message, error.details], { depth: 3 })).not.toContain("secret");
    expect(error.cause).toBeInstanceOf(Error);
  });

  it("of a batch has the same details as one of a single call", () => {
    const [detail] = toStatus(jobNotFound("x")).details;
    const info = detail === undefined ? undefined : anyUnpack(detail, ErrorInfoSchema);
    expect(info).toMatchObject({
      domain: "millrace",
      reason: "JOB_NOT_FOUND",
      metadata: { job_id: "x" },
    });
  });

  it("says when to come again where that may help", async () => {
    expect(await told(new JobFault("SHARD_UNAVAILABLE", "moving"))).toMatchObject({
      retries: true,
    });
    expect(await told(new JobFault("QUEUE_FULL", "full", { retryAfterMs: 5 }))).toMatchObject({
      retries: true,
    });
    expect(await told(jobNotFound("x"))).toMatchObject({ retries: false });
  });

  it("fits into the trailers of every client, however much of the request it tells", () => {
    const long = "ö".repeat(90_000);
    const faults = Array.from({ length: 50 }, (_, index) => ({
      field: `spec.input/${"k".repeat(280)}${index}`,
      description: "is not a known property.",
    }));
    const metadata = { job_id: long };
    for (const fault of [
      jobNotFound(long),
      new JobFault("INVALID_ARGUMENT", long, { faults, metadata }),
      new JobFault("JOB_NOT_HELD", long, { metadata }),
    ]) {
      const bytes = toBinary(StatusSchema, toStatus(fault)).length;
      // As base64, and with the message once more, below the 16 KiB of gRPC in C++.
      expect(bytes).toBeLessThan(10_000);
      expect(toConnectError(fault).rawMessage.length).toBeLessThanOrEqual(500);
    }
  });

  it("names what stands in the way: a job, a type or a user", () => {
    const subjectOf = (metadata: Record<string, string>) => {
      const { details } = toStatus(new JobFault("LAST_ADMIN", "no", { metadata }));
      const found = details.map((detail) => anyUnpack(detail, PreconditionFailureSchema));
      return found.find((one) => one !== undefined)?.violations[0]?.subject;
    };
    expect(subjectOf({ user_id: "u" })).toBe("users/u");
    expect(subjectOf({ type: "t" })).toBe("types/t");
    expect(subjectOf({ job_id: "j" })).toBe("jobs/j");
  });

  it("of Connect itself stays what it is, but for a deadline, which gets its reason", async () => {
    expect(await told(new ConnectError("gone", Code.Canceled))).toMatchObject({
      code: "Canceled",
      reason: "",
    });
    expect(await told(new ConnectError("late", Code.DeadlineExceeded))).toMatchObject({
      code: "DeadlineExceeded",
      reason: "DEADLINE_EXCEEDED",
    });
  });
});

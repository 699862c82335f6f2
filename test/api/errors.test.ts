import { inspect } from "node:util";

import { anyUnpack } from "@bufbuild/protobuf/wkt";
import { Code, ConnectError } from "@connectrpc/connect";
import { describe, expect, it } from "vitest";

import { toConnectError, toStatus } from "../../src/api/errors.ts";
import { ErrorInfoSchema } from "../../src/gen/google/rpc/error_details_pb.ts";
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

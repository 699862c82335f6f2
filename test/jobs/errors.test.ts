import { describe, expect, test } from "vitest";

import { JobFault } from "../../src/jobs/errors.ts";
import { DatabaseError } from "../../src/store/engine.ts";

describe("whatever was caught, as a fault", () => {
  test("is itself when it is one", () => {
    const fault = new JobFault("JOB_CONFLICT", "no");
    expect(JobFault.from(fault)).toBe(fault);
  });

  test.each(["ECONNREFUSED", "PROTOCOL_CONNECTION_LOST", "TIMEOUT", "SQLITE_13", "BUSY"])(
    "asks to come again when the database is out of reach: %s",
    (code) => {
      const fault = JobFault.from(new DatabaseError("away", code));
      expect(fault).toMatchObject({ reason: "SHARD_UNAVAILABLE", retryAfterMs: 1_000 });
    },
  );

  test.each([new DatabaseError("no", "ER_DUP_ENTRY"), new TypeError("no"), "no"])(
    "is our own fault otherwise, with the cause kept: %s",
    (caught) => {
      expect(JobFault.from(caught)).toMatchObject({ reason: "INTERNAL", cause: caught });
    },
  );
});

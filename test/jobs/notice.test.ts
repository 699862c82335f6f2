import { toJson } from "@bufbuild/protobuf";
import { describe, expect, it } from "vitest";

import { toJob } from "../../src/api/convert/job.ts";
import { JobSchema } from "../../src/gen/millrace/v1/job_pb.ts";
import { jobNotice, NOTICE_RESULT_BYTES, withResult } from "../../src/jobs/notice.ts";
import { aFullJobRow } from "../support/store-rows.ts";
import { aJobRow } from "../support/job-row.ts";

/** What is only true at the moment of an answer. */
const PASSING = ["can_cancel", "can_retry", "poll_after", "callback_state"];

describe("the notice of a job", () => {
  it.each([
    ["with everything", { ...aFullJobRow(), state: "FAILED" as const, endedAt: 1_700_000_000_123 }],
    ["with nothing", { ...aJobRow(), state: "CANCELLED" as const, endedAt: 1_700_000_000_000 }],
  ])("%s says what the API says of it, in the names of the contract", (_, row) => {
    const notice = JSON.parse(jobNotice(row, 1_700_000_000_123)) as Record<string, unknown>;
    const { ...job } = toJson(JobSchema, toJob(row, 0), { useProtoFieldName: true }) as object;
    expect(notice).toEqual({
      type: `job.${row.state.toLowerCase()}`,
      timestamp: "2023-11-14T22:13:20.123Z",
      data: Object.fromEntries(Object.entries(job).filter(([name]) => !PASSING.includes(name))),
    });
  });

  it("takes a result of up to 256 KiB along, and says so when it leaves one out", () => {
    const body = jobNotice(aJobRow(), 0);
    const data = (result: string | null) =>
      (JSON.parse(withResult(body, result)) as { data: Record<string, unknown> }).data;
    const largest = JSON.stringify("é".repeat((NOTICE_RESULT_BYTES - 2) / 2));
    expect(data('{"a":[1]}')).toMatchObject({ result: { a: [1] } });
    expect(data(largest)["result"]).toHaveLength((NOTICE_RESULT_BYTES - 2) / 2);
    expect(data(`${largest.slice(0, -1)}x"`)).toMatchObject({ result_omitted: true });
    expect(data(null)).toMatchObject({ result_omitted: true });
  });
});

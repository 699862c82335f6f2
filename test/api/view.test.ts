import { describe, expect, it } from "vitest";

import { pollAfterMs } from "../../src/api/view.ts";
import { aJobRow } from "../support/job-row.ts";

const NOW = 1_000_000;

describe("the hint when to poll again", () => {
  it("is one second while the job runs", () => {
    expect(pollAfterMs(aJobRow({ state: "RUNNING" }), NOW)).toBe(1_000);
  });

  it("is later while it is queued, and the later the longer it has waited, up to 5 s", () => {
    const queued = (queuedAt: number) => pollAfterMs(aJobRow({ state: "QUEUED", queuedAt }), NOW);
    expect(queued(NOW)).toBe(2_000);
    expect(queued(NOW - 30_000)).toBe(3_000);
    expect(queued(0)).toBe(5_000);
    expect(queued(NOW - 33_333)).toBe(3_333);
  });

  it("is whole milliseconds, whatever the wait was", () => {
    expect(pollAfterMs(aJobRow({ state: "QUEUED", queuedAt: NOW - 34_567 }), NOW)).toBe(3_457);
  });

  it("is the time that the job waits for, but a minute at most", () => {
    const due = (runAt: number) => pollAfterMs(aJobRow({ state: "SCHEDULED", runAt }), NOW);
    expect(due(NOW + 20_000)).toBe(20_000);
    expect(due(NOW + 3_600_000)).toBe(60_000);
    expect(due(NOW - 5)).toBe(1_000);
  });

  it.each(["SUCCEEDED", "FAILED", "CANCELLED"] as const)("is absent once it is %s", (state) => {
    expect(pollAfterMs(aJobRow({ state }), NOW)).toBeNull();
  });
});

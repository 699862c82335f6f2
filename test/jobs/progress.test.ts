import { describe, expect, test } from "vitest";

import type { LeaseToken, RunnerId } from "../../src/jobs/ids.ts";
import { advance } from "../../src/jobs/progress.ts";
import { start } from "../../src/jobs/transitions.ts";
import { aJobRow } from "../support/job-row.ts";

describe("progress", () => {
  test("never goes back within an attempt", () => {
    const before = { fraction: 0.5, message: "half", currentStep: 3, totalSteps: 6 };
    const reported = { fraction: 0.2, message: "again", currentStep: 2, totalSteps: 6 };
    expect(advance(before, reported)).toEqual({
      fraction: 0.5,
      message: "again",
      currentStep: 3,
      totalSteps: 6,
    });
  });

  test("keeps its steps when a report speaks of none, and never has fewer than were taken", () => {
    const before = { fraction: 0.5, message: "", currentStep: 3, totalSteps: 6 };
    const none = { fraction: 0.6, message: "", currentStep: 0, totalSteps: 0 };
    expect(advance(before, none)).toMatchObject({ currentStep: 3, totalSteps: 6 });
    const fewer = { ...none, currentStep: 1, totalSteps: 2 };
    expect(advance(before, fewer)).toMatchObject({ currentStep: 3, totalSteps: 3 });
  });

  test("starts anew with the next attempt", () => {
    const row = aJobRow({
      progress: { fraction: 0.9, message: "", currentStep: 0, totalSteps: 0 },
    });
    const to = { runnerId: "r" as RunnerId, leaseToken: "l" as LeaseToken };
    expect(start(row, to, 1_000)).toMatchObject({
      attempt: 1,
      progress: { fraction: 0 },
    });
  });
});

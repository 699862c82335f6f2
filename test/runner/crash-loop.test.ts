import fc from "fast-check";
import { describe, expect, it } from "vitest";

import {
  admit,
  type Admission,
  CRASHES_TO_OPEN,
  type CrashLoop,
  FIRST_PAUSE_MS,
  judge,
  LONGEST_PAUSE_MS,
  sentenceOf,
  type Verdict,
  verdictOf,
} from "../../runner/sandbox/crash-loop.ts";
import { unmeasured } from "../../runner/executor.ts";
import { failure } from "../../runner/failures.ts";

const CRASHED: Verdict = { kind: "crashed", code: "memory" };
const SURVIVED: Verdict = { kind: "survived" };
const NOTHING: Verdict = { kind: "nothing" };

/** After so many crashes in a row at `now`. */
const afterCrashes = (count: number, now = 0): CrashLoop | null => {
  let loop: CrashLoop | null = null;
  for (let i = 0; i < count; i++) loop = judge(loop, "free", CRASHED, now);
  return loop;
};

describe("the breaker of a script", () => {
  it("opens after so many crashes in a row, and not before", () => {
    expect(admit(afterCrashes(CRASHES_TO_OPEN - 1), 0).admission).toBe("free");
    const open = afterCrashes(CRASHES_TO_OPEN);
    expect(admit(open, FIRST_PAUSE_MS - 1).admission).toBe("refused");
    expect(admit(open, FIRST_PAUSE_MS).admission).toBe("trial");
  });

  it("counts in a row: who survives is forgiven all", () => {
    expect(judge(afterCrashes(CRASHES_TO_OPEN - 1), "free", SURVIVED, 0)).toBeNull();
    expect(judge(afterCrashes(CRASHES_TO_OPEN), "trial", SURVIVED, 0)).toBeNull();
  });

  it("lets one attempt through after the pause, and no second one until that has ended", () => {
    const first = admit(afterCrashes(CRASHES_TO_OPEN), FIRST_PAUSE_MS);
    expect(first.admission).toBe("trial");
    expect(admit(first.loop, FIRST_PAUSE_MS).admission).toBe("refused");
    const undecided = judge(first.loop, "trial", NOTHING, FIRST_PAUSE_MS);
    expect(admit(undecided, FIRST_PAUSE_MS).admission).toBe("trial");
  });

  it("doubles its pauses, up to ten minutes", () => {
    let loop = afterCrashes(CRASHES_TO_OPEN);
    const pauses: number[] = [];
    for (let i = 0; i < 7; i++) {
      const now = loop?.until ?? 0;
      loop = judge(admit(loop, now).loop, "trial", CRASHED, now);
      pauses.push((loop?.until ?? 0) - now);
    }
    expect(pauses.slice(0, 4)).toEqual([60_000, 120_000, 240_000, 480_000]);
    expect(pauses.at(-1)).toBe(LONGEST_PAUSE_MS);
  });

  it("does not mind how attempts end that were under way when it opened", () => {
    const open = afterCrashes(CRASHES_TO_OPEN);
    expect(judge(open, "free", CRASHED, 10)).toBe(open);
    expect(judge(open, "free", SURVIVED, 10)).toBe(open);
    const tried = admit(open, FIRST_PAUSE_MS).loop;
    expect(judge(tried, "free", NOTHING, FIRST_PAUSE_MS)).toBe(tried);
  });

  it("says since when, until when and why", () => {
    const open = afterCrashes(CRASHES_TO_OPEN, Date.UTC(2030, 0, 1)) as CrashLoop;
    expect(sentenceOf(open)).toBe(
      "the last 5 attempts of this script on this runner ended their process (the last one: memory); " +
        "it has been refused since 2030-01-01T00:00:00.000Z, until 2030-01-01T00:00:30.000Z",
    );
  });

  it.each([
    ["memory", "crashed"],
    ["timeout.cpu", "crashed"],
    ["runner.crashed", "crashed"],
    ["timeout.wall", "nothing"],
    ["script.threw", "survived"],
    ["result.too_large", "survived"],
  ])("takes %s for: %s", (code, kind) => {
    const ending = { kind: "failed", error: failure(code, ""), ...unmeasured } as const;
    expect(verdictOf(ending).kind).toBe(kind);
  });

  it("never has two trials at once, and never refuses without a pause that ends", () => {
    const steps = fc.array(
      fc.record({
        wait: fc.nat({ max: 700_000 }),
        verdict: fc.constantFrom(CRASHED, CRASHED, CRASHED, SURVIVED, NOTHING),
        ends: fc.boolean(),
      }),
      { maxLength: 60 },
    );
    fc.assert(
      fc.property(steps, (all) => {
        let loop: CrashLoop | null = null;
        let now = 0;
        let open: Admission[] = [];
        for (const { wait, verdict, ends } of all) {
          now += wait;
          const asked: ReturnType<typeof admit> = admit(loop, now);
          loop = asked.loop;
          if (asked.admission === "refused") {
            expect(loop?.crashes).toBeGreaterThanOrEqual(CRASHES_TO_OPEN);
            expect((loop?.until ?? 0) - now).toBeLessThanOrEqual(LONGEST_PAUSE_MS);
          } else open.push(asked.admission);
          expect(open.filter((one) => one === "trial").length).toBeLessThanOrEqual(1);
          const [first, ...rest] = open;
          if (!ends || first === undefined) continue;
          open = rest;
          loop = judge(loop, first, verdict, now);
        }
      }),
    );
  });
});

import { afterAll, beforeAll, describe, expect, it } from "vitest";

import type { Executor, StopReason } from "../../../runner/executor.ts";
import { codeOf, type Late, type Ran, runAttempt, type RunOptions } from "./run.ts";
import type { Subject, WorkName } from "./subject.ts";

/** What every executor promises (runner/executor.ts), on the real thing. */
export const keepsThePromises = (subject: Subject): void => {
  describe(`the executor of ${subject.name}`, () => {
    let executors: ReadonlyMap<string, Executor>;
    let stop: () => Promise<void>;
    const late: Late = [];

    beforeAll(async () => {
      ({ executors, stop } = await subject.start());
    });
    afterAll(async () => {
      await stop();
    });

    const run = async (work: WorkName, options?: RunOptions): Promise<Ran> => {
      const assigned = subject.assigned(work);
      const executor = executors.get(assigned.capability);
      if (executor === undefined) throw new Error(`nobody can do ${assigned.capability}`);
      return await runAttempt(executor, assigned, late, options);
    };

    /** Stops the attempt when it has written `row`. */
    const runUntil = async (
      work: WorkName,
      row: string,
      why: StopReason = "cancelled",
    ): Promise<Ran> =>
      await run(work, {
        onRow: (text, stop) => {
          if (text === row) stop(why);
        },
      });

    it("brings the result of work that ends well", async () => {
      const { ending } = await run("answers", { input: { n: [1, "é", null] } });
      expect(ending.kind).toBe("succeeded");
    });

    it("brings all rows, in order", async () => {
      const { rows } = await run("prints");
      expect(rows).toEqual(Array.from({ length: 500 }, (_, index) => `STDOUT ${index + 1}`));
    });

    it("cuts more output than may be, in one place, and says so", async () => {
      const { ending, sent } = await run("floods");
      const texts = sent.flatMap(({ output }) => output.map(({ text }) => text));
      expect(ending.kind).toBe("succeeded");
      expect(texts).toHaveLength(2_001);
      expect(texts.slice(1_999)).toEqual(["2000", "output limit reached: the rest is dropped"]);
    });

    it("tells how far the work has come", async () => {
      const { progress } = await run("progresses");
      expect(progress[0]).toMatchObject({ fraction: 0.5, message: "halfway" });
      expect(progress.at(-1)?.fraction).toBe(1);
    });

    it("tells a failure, and whether another attempt may help", async () => {
      const [failed, final] = [await run("fails"), await run("fails_for_good")];
      const { failed: code } = subject.codes;
      expect(failed.ending).toMatchObject({ kind: "failed", error: { code, retryable: true } });
      expect(final.ending).toMatchObject({ kind: "failed", error: { code, retryable: false } });
    });

    it("tells even a failure of which nothing can be told", async () => {
      expect((await run("breaks")).ending.kind).toBe("failed");
    });

    it.skipIf("large" in subject.lacks)(
      "refuses a result that is too large, for good",
      async () => {
        const { ending } = await run("large");
        expect(ending).toMatchObject({ error: { code: "result.too_large", retryable: false } });
      },
    );

    it.skipIf("deep" in subject.lacks)(
      "refuses a result that is nested too deep, for good",
      async () => {
        const { ending } = await run("deep");
        const error = { code: "result.not_serialisable", retryable: false };
        expect(ending).toMatchObject({ error });
      },
    );

    it.skipIf("crashes" in subject.lacks)("outlives a crash of the work", async () => {
      expect(subject.codes.crashed).toContain(codeOf(await run("crashes")));
      expect(codeOf(await run("answers"))).toBe("succeeded");
    });

    describe("ends what is cancelled", () => {
      it("before it has begun", async () => {
        const ran = await run("prints", { stopped: "before" });
        expect([codeOf(ran), ran.rows]).toEqual(["cancelled", []]);
      });

      it("while it begins", async () => {
        expect(codeOf(await run("stubborn", { stopped: "at once" }))).toBe("cancelled");
      });

      it("while it waits, and lets it tidy up", async () => {
        const ran = await runUntil("waits", "waiting");
        expect(codeOf(ran)).toBe("cancelled");
        expect(ran.rows).toEqual(["STDOUT waiting", "STDOUT tidied"]);
      });

      it("while it does not listen", async () => {
        expect(codeOf(await runUntil("stubborn", "waiting"))).toBe("cancelled");
      });

      it.skipIf("busy" in subject.lacks)("while it computes", async () => {
        expect(codeOf(await runUntil("busy", "waiting"))).toBe("cancelled");
      });

      it("while it ends by itself, in one way or the other", async () => {
        for (let round = 0; round < 10; round++) {
          expect(["succeeded", "cancelled"]).toContain(codeOf(await runUntil("ends", "ending")));
        }
      });
    });

    it("ends what is no longer its own, listening or not", async () => {
      await runUntil("waits", "waiting", "forgotten");
      await runUntil("stubborn", "waiting", "forgotten");
    });

    it("ends what takes too long", async () => {
      const { ending } = await run("stubborn", { timeoutMs: 150 });
      expect(ending).toMatchObject({ error: { code: "timeout.wall", retryable: true } });
      // Who is warned and listens may end well just in time.
      const listening = await run("waits", { timeoutMs: 150 });
      expect(["timeout.wall", "succeeded"]).toContain(codeOf(listening));
    });

    it("works as before after all of this, and nothing spoke after its end", async () => {
      await run("speaks_late");
      await run("works");
      expect(codeOf(await run("answers"))).toBe("succeeded");
      expect(late).toEqual([]);
    });
  });
};

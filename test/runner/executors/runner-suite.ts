import { afterEach, beforeEach, describe, expect, it } from "vitest";

import type { Service } from "../../../src/runtime/lifecycle.ts";
import { ACME } from "../../support/commands.ts";
import { type RunnerServer, startRunnerServer } from "../../support/runner-server.ts";
import type { Subject, WorkName } from "./subject.ts";

/** What a runner does with its executor between a server and the end of a process. */
export const runsAndDrains = (subject: Subject): void => {
  describe(`a runner of ${subject.name}`, () => {
    let server: RunnerServer;
    let runner: Service;

    beforeEach(async () => {
      server = await startRunnerServer();
    });
    afterEach(async () => {
      await runner.stop();
      await server.close();
    });

    const start = async (drainMs: number): Promise<void> => {
      runner = subject.runnerFor(server, drainMs);
      await runner.start();
    };

    type Ref = Parameters<RunnerServer["lose"]>[0];
    const assign = (work: WorkName, attempt: Partial<Ref> = {}): Ref =>
      server.assign({
        ...subject.assigned(work),
        inputJson: "{}",
        attempt: { organizationId: ACME, ...attempt } as Ref,
      });

    const hasWritten = async (ref: Ref, row: string): Promise<void> => {
      const rows = () => server.applied(ref).flatMap(({ output }) => output);
      await server.until(() => rows().some(({ text }) => text === row));
    };

    it.skipIf("steps" in subject.lacks)("skips in a retry what has ended before", async () => {
      await start(5_000);
      const first = assign("steps");
      expect((await server.ending(first)).ending).toMatchObject({
        case: "error",
        value: { retryable: true },
      });
      const again = assign("steps", { jobId: first.jobId, attempt: 2, leaseToken: "again" });
      expect((await server.ending(again)).ending).toEqual({ case: "resultJson", value: '["b"]' });
    });

    it("finishes what runs before it stops", async () => {
      await start(20_000);
      const ref = assign("works");
      await hasWritten(ref, "working");
      await runner.stop();
      expect((await server.ending(ref)).ending.case).toBe("resultJson");
    });

    it("gives up what does not end while it drains", async () => {
      await start(50);
      const ref = assign("stubborn");
      await hasWritten(ref, "waiting");
      await runner.stop();
      expect(server.applied(ref).every(({ ending }) => ending === undefined)).toBe(true);
      expect(server.syncs.at(-1)).toMatchObject({ slots: 0, attempts: [] });
    });
  });
};

import type { MessageInitShape } from "@bufbuild/protobuf";

import type {
  JobUpdateSchema,
  UpdateJobsResponse_Outcome,
} from "../../src/gen/millrace/internal/v1/job_update_service_pb.ts";
import type {
  Assignment,
  AttemptRef,
} from "../../src/gen/millrace/internal/v1/runner_service_pb.ts";
import { systemRandom } from "../../src/runtime/random.ts";
import type { TestServer } from "./server.ts";
import { updateJobs } from "./update-jobs.ts";

type Update = Omit<MessageInitShape<typeof JobUpdateSchema>, "attempt" | "seq" | "$typeName">;

/**
 * A runner that does what the test says, over the real internal API. It calls Sync as long as a test
 * wants an attempt or holds one, as a runner has to, so that none is lost however long a test takes.
 */
export type HandRunner = {
  readonly id: string;
  /** The next attempt that it is given. */
  take(): Promise<Assignment>;
  /** Calls until the server says that the attempt is another's. */
  untilLost(assignment: Assignment): Promise<void>;
  report(assignment: Assignment, update: Update): Promise<UpdateJobsResponse_Outcome>;
  print(assignment: Assignment, ...lines: string[]): Promise<void>;
  succeed(assignment: Assignment, resultJson?: string): Promise<void>;
  fail(assignment: Assignment, message: string, retryable?: boolean): Promise<void>;
};

export const createHandRunner = (
  { runners, updates }: Pick<TestServer, "runners" | "updates">,
  { slots = 5, capabilities = ["script"] } = {},
): HandRunner => {
  const id = systemRandom.uuid();
  const held = new Map<string, AttemptRef>();
  const seqs = new Map<string, bigint>();
  const waiting: Assignment[] = [];
  const takers: PromiseWithResolvers<Assignment>[] = [];
  let syncing = false;

  const report: HandRunner["report"] = async ({ attempt }, update) => {
    if (attempt === undefined) throw new Error("an assignment without an attempt");
    const seq = (seqs.get(attempt.leaseToken) ?? 0n) + 1n;
    seqs.set(attempt.leaseToken, seq);
    const { outcomes } = await updateJobs(updates, { updates: [{ ...update, attempt, seq }] });
    if (update.ending !== undefined) held.delete(attempt.leaseToken);
    const [outcome] = outcomes;
    if (outcome === undefined) throw new Error("a report without an outcome");
    return outcome;
  };

  const keep = (assignments: readonly Assignment[]): void => {
    for (const assignment of assignments) {
      if (assignment.attempt === undefined) continue;
      held.set(assignment.attempt.leaseToken, assignment.attempt);
      const taker = takers.shift();
      if (taker === undefined) waiting.push(assignment);
      else taker.resolve(assignment);
    }
  };

  const call = async (immediate: boolean): Promise<void> => {
    const attempts = [...held.values()];
    const request = { runnerId: id, capabilities, slots, attempts, immediate };
    for await (const { assignments, lost } of runners.sync(request)) {
      for (const { leaseToken } of lost) held.delete(leaseToken);
      keep(assignments);
    }
  };

  /** Each call lasts until the server ends it, which it does every few seconds. */
  const sync = async (): Promise<void> => {
    try {
      while (takers.length + held.size > 0) await call(false);
    } catch (cause) {
      // With nobody waiting, the server has stopped after its test.
      for (const taker of takers.splice(0)) taker.reject(cause);
    } finally {
      syncing = false;
    }
  };

  const applied = async (assignment: Assignment, update: Update): Promise<void> => {
    const { error } = await report(assignment, update);
    if (error !== undefined) throw new Error(`the report was refused: ${error.message}`);
  };

  return {
    id,
    take: async () => {
      const next = waiting.shift();
      if (next !== undefined) return next;
      const taker = Promise.withResolvers<Assignment>();
      takers.push(taker);
      if (!syncing) {
        syncing = true;
        void sync();
      }
      return await taker.promise;
    },
    untilLost: async ({ attempt }) => {
      while (held.has(attempt?.leaseToken ?? "")) await call(true);
    },
    report,
    print: async (assignment, ...lines) => {
      await applied(assignment, { output: lines.map((text) => ({ stream: 1, text })) });
    },
    succeed: async (assignment, resultJson = "null") => {
      const ending = { case: "resultJson" as const, value: resultJson };
      await applied(assignment, { ending: { ending } });
    },
    fail: async (assignment, message, retryable = false) => {
      const value = { code: "script.threw", message, retryable };
      await applied(assignment, { ending: { ending: { case: "error", value } } });
    },
  };
};

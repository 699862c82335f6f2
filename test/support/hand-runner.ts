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

/** A runner that does what the test says, over the real internal API. */
export type HandRunner = {
  readonly id: string;
  /** The next attempt that it is given. */
  take(): Promise<Assignment>;
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
      waiting.push(assignment);
    }
  };

  const applied = async (assignment: Assignment, update: Update): Promise<void> => {
    const { error } = await report(assignment, update);
    if (error !== undefined) throw new Error(`the report was refused: ${error.message}`);
  };

  return {
    id,
    take: async () => {
      for (;;) {
        const next = waiting.shift();
        if (next !== undefined) return next;
        const call = { runnerId: id, capabilities, slots, attempts: [...held.values()] };
        for await (const answer of runners.sync(call)) {
          if (answer.assignments.length === 0) continue;
          keep(answer.assignments);
          // A call that is broken off would be one that got lost: this one ends by the next.
          const ending = { ...call, attempts: [...held.values()], immediate: true };
          for await (const last of runners.sync(ending)) keep(last.assignments);
        }
      }
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

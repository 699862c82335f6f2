import type { Resolved } from "../jobs/bindings.ts";
import { EXTERNAL_RUNNER, type OrganizationId } from "../jobs/ids.ts";
import type { JobError } from "../jobs/job.ts";
import type { Assignment, AttemptRef, AttemptReport } from "../jobs/report.ts";
import type { Clock } from "../runtime/clock.ts";
import type { Log } from "../runtime/log.ts";
import type { Handout } from "../shard/handout.ts";
import type { ServerRunnerHub } from "./runner-hub.ts";

/** An input that cannot be checked for so long goes out as it is. */
const LONGEST_CHECK_MS = 5_000;

/** The input as its type wants it, or why the type refuses it. */
export type CheckInput = (
  organizationId: OrganizationId,
  given: Pick<Assignment, "type" | "typeVersion" | "input">,
) => Promise<Resolved>;

export type InputGateOptions = {
  readonly hub: Pick<ServerRunnerHub, "handOut" | "hold">;
  readonly check: CheckInput;
  /** To the owner of the attempt's shard. @throws JobFault */
  readonly report: (report: AttemptReport) => Promise<void>;
  readonly clock: Clock;
  readonly log: Log;
};

/**
 * Between the owners of shards and the runners: inputs with values of other jobs in them are held
 * against the schemas of their types here, where no owner waits for it. What does not fit is
 * reported as failed, in the place of a runner that never hears of the attempt. Nothing here is
 * durable: an attempt that is forgotten here is found missing by its runner's next list, as one whose
 * answer was lost.
 */
export type InputGate = { handOut(handout: Handout): void };

export const createInputGate = (options: InputGateOptions): InputGate => {
  const { hub, check, report, clock, log } = options;

  /** Null if it could not be checked. */
  const checked = async (assignment: Assignment): Promise<Resolved | null> => {
    const late = Promise.withResolvers<never>();
    const cancel = clock.after(LONGEST_CHECK_MS, () => {
      late.reject(new Error(`there was no answer within ${LONGEST_CHECK_MS} ms`));
    });
    try {
      return await Promise.race([check(assignment.ref.organizationId, assignment), late.promise]);
    } catch (error) {
      const { organizationId, jobId } = assignment.ref;
      log.warn({ organization: organizationId, job: jobId, error }, "an input was not checked");
      return null;
    } finally {
      cancel();
    }
  };

  const fail = async (ref: AttemptRef, error: JobError): Promise<void> => {
    const ending = { kind: "failed" as const, error, cpuMs: 0, peakMemoryBytes: 0 };
    try {
      await report({ ref, seq: 1, progress: null, output: [], steps: [], ending });
    } catch (cause) {
      // Whoever owns the shard next finds it missing, and it is checked again.
      log.warn({ job: ref.jobId, error: cause }, "an input that does not fit was not reported");
    }
  };

  const pass = async ({ runnerId, assignment }: Handout["assignments"][number]): Promise<void> => {
    // Whoever does external work asks for its input himself.
    const held = runnerId === EXTERNAL_RUNNER ? null : hub.hold(runnerId, assignment.ref);
    const outcome = await checked(assignment);
    if (outcome?.kind === "failed") {
      await fail(assignment.ref, outcome.error);
      held?.drop();
    } else {
      held?.assign({ ...assignment, input: outcome?.input ?? assignment.input });
    }
  };

  return {
    handOut: (handout) => {
      const [open, ready] = [true, false].map((wanted) =>
        handout.assignments.filter(({ toCheck }) => toCheck === wanted),
      );
      hub.handOut({ ...handout, assignments: ready ?? [] });
      for (const one of open ?? []) void pass(one);
    },
  };
};

import type { Actor } from "./audit.ts";
import type { JobFault } from "./errors.ts";
import type { JobRow, RequestRow, ScriptRow, SpecRow } from "./job.ts";

/** How ids of requests begin that name the children of jobs: others must not come before them. */
export const CHILD_REQUEST = "child:";

/**
 * A checked submission: the rows as they would be written. The owner of the shard decides the
 * state and fills in revision and times.
 */
export type Submission = {
  /** The client chose the job's id: it may be taken. */
  readonly idIsChosen: boolean;
  readonly job: JobRow;
  readonly spec: SpecRow;
  readonly script: ScriptRow | null;
  readonly request: RequestRow | null;
  /** Its operational user's actions are deferred: HELD, unless it has been released already. */
  readonly deferred: boolean;
  /**
   * Why it is refused, unless it repeats one that was accepted: what a type takes may have changed
   * since, and a repetition is still answered with its job. Null: it is not.
   */
  readonly refusal: JobFault | null;
  readonly by: Actor;
};

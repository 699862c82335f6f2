import type { Actor } from "./audit.ts";
import type { JobRow, RequestRow, ScriptRow, SpecRow } from "./job.ts";

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
  readonly by: Actor;
};

/**
 * What every history is checked for. docs/guarantees.md says what each means to a user; a test
 * compares the two lists.
 */
export const PROMISES = [
  /* what was said holds */
  "what was acknowledged is not lost",
  "a request is one job",
  "a cancellation that was acknowledged counts",
  "an ending that was acknowledged counts",
  "nothing starts before it is durable",
  "only what is durable is shown",
  "what is stored is what was committed",
  "everything comes to its end",

  /* once, and in order */
  "a job is created once",
  "a job succeeds once",
  "an attempt ends once",
  "a report is applied once",
  "a step that ended is not run again",
  "a stale attempt changes nothing",
  "a deposed owner commits nothing",
  "revisions have no gaps",
  "output has no gaps",
  "only known jobs change",
  "states change as the table says",
  "a job has an end exactly when it has ended",
  "no job succeeds after its time",
  "progress never goes back",
  "counters never go back",
  "a watcher misses nothing",
  "every job is counted once",
  "hours and days are the sums of their minutes",
  "what was rolled up does not change",

  /* workflows */
  "a workflow is created whole or not at all",
  "a step runs only after its upstreams ended",
  "a step gets exactly the results of its upstreams",
  "a dependent is cancelled exactly if its policy says so",
  "a workflow ends exactly when its steps have",
  "a workflow's counts are those of its jobs",

  /* jobs of jobs */
  "a name is one child of its parent",
  "a child is born of a running job",
  "children are counted, and bounded",
  "a waiter learns what its child came to",
  "no child of a cancelled job goes on",
  "a place that was left to wait is kept",

  /* limits */
  "limits are never exceeded",
  "a runner is given no more than it has slots",
  "a concurrency key runs once",
  "a paused type starts nothing",

  /* the deferred action */
  "a deferred job is born HELD",
  "nothing goes on without its release",
  "a release is used up by its job",
  "an attribute is stored once",
  "only stored attributes go",

  /* schedules */
  "every time of a schedule fires once",
  "no time of a schedule is left out",
  "a schedule's job and its time are one commit",
  "a schedule counts its jobs",
  "only due schedules fire",

  /* callbacks */
  "an end with a callback owes one notice",
  "every notice that is owed is sent",
  "no notice is sent that is not owed",
  "a notice is delivered only after a 2xx",
  "a job shows what became of its notice",

  /* hooks */
  "a hook is told of every change that matches",
  "a hook is told of no other change",
  "a notice of a hook makes one job",
  "hooks do not go in circles",
  "a crossing is told once",
  "a crossing is told when it has lasted",

  /* retention */
  "no job is removed before its time",
  "a job is removed as it was read",
  "only known jobs are removed",
  "nothing is left of a removed job",
  "a workflow is removed whole or not at all",

  /* tokens */
  "a revocation counts at once where it was made",
  "a revoked token works nowhere after 5 s",
  "a revocation ends open calls",
] as const;

export type Promised = (typeof PROMISES)[number];

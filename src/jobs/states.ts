/**
 * The life of a job, written down once. Everything that changes a job's state asks this table;
 * docs/states.md is generated from it.
 */
export const JOB_STATES = [
  "HELD",
  "BLOCKED",
  "SCHEDULED",
  "QUEUED",
  "RUNNING",
  "RETRYING",
  "SUCCEEDED",
  "FAILED",
  "CANCELLED",
] as const;

export type JobState = (typeof JOB_STATES)[number];

export const JOB_EVENTS = [
  /** The operational user released a deferred job. */
  "release",
  /** The last upstream of a workflow step ended. */
  "unblock",
  /** `run_at` or the end of a backoff has come. */
  "due",
  /** An upstream that had ended was given another attempt: the job waits for it again. */
  "hold-back",
  /** A runner's slot was given to the job. */
  "start",
  /** The attempt ended with a result. */
  "succeed",
  /** The attempt failed, and the policy grants another after a delay. */
  "back-off",
  /** The attempt failed for good, or the job outlived its total timeout. */
  "fail",
  /** The runner was lost; the attempt is given to another. */
  "rescue",
  /** Somebody asked for the end of a running attempt. */
  "ask-to-cancel",
  /** The job is cancelled. */
  "cancel",
  /** Somebody asked for another attempt of a failed job. */
  "retry",
  /** A step that was cancelled because another did not succeed waits again: that one was retried. */
  "revive",
] as const;

export type JobEvent = (typeof JOB_EVENTS)[number];

type Targets = readonly [JobState, ...JobState[]];

/**
 * From state by event to the states that may follow. Where several may follow, the job's own
 * facts decide: a released job is BLOCKED, SCHEDULED or QUEUED by its ties and its `run_at`. One that
 * is retried is BLOCKED if another that it waits for was retried too, and one that is revived is HELD
 * if it was never released.
 */
export const TRANSITIONS: Readonly<Record<JobState, Readonly<Partial<Record<JobEvent, Targets>>>>> =
  {
    HELD: {
      release: ["BLOCKED", "SCHEDULED", "QUEUED"],
      cancel: ["CANCELLED"],
      fail: ["FAILED"],
    },
    BLOCKED: { unblock: ["SCHEDULED", "QUEUED"], cancel: ["CANCELLED"], fail: ["FAILED"] },
    SCHEDULED: { due: ["QUEUED"], cancel: ["CANCELLED"], fail: ["FAILED"] },
    QUEUED: {
      start: ["RUNNING"],
      "hold-back": ["BLOCKED"],
      cancel: ["CANCELLED"],
      fail: ["FAILED"],
    },
    RUNNING: {
      succeed: ["SUCCEEDED"],
      "back-off": ["RETRYING"],
      fail: ["FAILED"],
      rescue: ["QUEUED"],
      "ask-to-cancel": ["RUNNING"],
      cancel: ["CANCELLED"],
    },
    RETRYING: { due: ["QUEUED"], cancel: ["CANCELLED"], fail: ["FAILED"] },
    SUCCEEDED: {},
    FAILED: { retry: ["BLOCKED", "QUEUED"] },
    CANCELLED: { revive: ["BLOCKED", "HELD"] },
  };

/** States in which a job may be born. */
export const INITIAL_STATES = ["HELD", "BLOCKED", "SCHEDULED", "QUEUED"] as const;

const ENDED: ReadonlySet<JobState> = new Set(["SUCCEEDED", "FAILED", "CANCELLED"]);

export const hasEnded = (state: JobState): boolean => ENDED.has(state);

export const isLegal = (from: JobState, event: JobEvent, to: JobState): boolean =>
  TRANSITIONS[from][event]?.includes(to) ?? false;

export const accepts = (from: JobState, event: JobEvent): boolean =>
  TRANSITIONS[from][event] !== undefined;

/** A transition that is not in the table: a bug of ours, never an answer to a caller. */
export class IllegalTransition extends Error {
  override readonly name = "IllegalTransition";
  constructor(from: JobState, event: JobEvent, to: JobState) {
    super(`a ${from} job cannot become ${to} by ${event}`);
  }
}

/** `to`, if the table allows it. */
export const transition = (from: JobState, event: JobEvent, to: JobState): JobState => {
  if (!isLegal(from, event, to)) throw new IllegalTransition(from, event, to);
  return to;
};

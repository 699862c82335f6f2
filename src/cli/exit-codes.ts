/** What the process tells its caller. Documented in docs/cli.md. */
export const EXIT = {
  /** The command did what it was asked; a job that was waited for succeeded. */
  ok: 0,
  /** The job that was waited for failed. */
  jobFailed: 1,
  /** `runner --check` found that the sandbox does not hold. */
  notContained: 1,
  /** The command line or the input is wrong. */
  usage: 2,
  /** The job that was waited for was cancelled. */
  jobCancelled: 3,
  /** The server cannot be reached, does not serve, or does not know the token. */
  unreachable: 4,
  /** The server refused, for another reason. */
  refused: 5,
  /** Stopped by Ctrl-C or SIGTERM while it waited. What it waited for goes on. */
  interrupted: 130,
} as const;

export type ExitCode = (typeof EXIT)[keyof typeof EXIT];

/**
 * What a script may ask of the runner, by name: the guest posts a call, the supervisor answers it.
 * A call comes from a hostile child: whoever answers it parses its payload first, and keeps to the
 * limits of the attempt.
 */
export type HostCall = (
  payload: unknown,
  signal: AbortSignal,
  /** `run` is called when the answer has left this process, or never will. */
  whenTaken: (run: () => void) => void,
) => Promise<unknown>;

/** Payloads and answers are JSON values. The signal aborts when the attempt is over. */
export type HostCalls = ReadonlyMap<string, HostCall>;

/** Why a call failed, in words for the script's author: it is thrown in the script. */
export class HostFault extends Error {
  override readonly name = "HostFault";
  /** The failure code of a script that does not catch it. */
  readonly code: string;
  /** Of the error that the script sees. */
  readonly errorName: string;

  constructor(code: string, message: string, errorName = "Error") {
    super(message);
    this.code = code;
    this.errorName = errorName;
  }
}

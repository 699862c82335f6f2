import { execFile } from "node:child_process";
import { promisify } from "node:util";

const run = promisify(execFile);

/**
 * What goes in front of a command, where the system has it: setpriv of util-linux lets the program
 * die with this runner, and keeps it from gaining privileges by a set-user-ID program.
 */
export type Wrapper = {
  /** Empty where setpriv is missing. */
  prefix(newPrivileges: boolean): readonly string[];
};

export const NO_WRAPPER: Wrapper = { prefix: () => [] };

const SETPRIV = "/usr/bin/setpriv";
const DIES_WITH_US = ["--pdeathsig", "KILL"];
const NO_NEW_PRIVILEGES = "--no-new-privs";

/** With which setpriv itself says that a program cannot be executed. */
export const NOT_EXECUTED = /^setpriv: failed to execute (.*)$/m;

export const findWrapper = async (): Promise<Wrapper> => {
  try {
    const args = [...DIES_WITH_US, NO_NEW_PRIVILEGES, "--", SETPRIV, "--version"];
    await run(SETPRIV, args, { env: {}, timeout: 5_000 });
  } catch {
    // Any failure means the same: this system does not have it.
    return NO_WRAPPER;
  }
  return {
    prefix: (newPrivileges) => [
      SETPRIV,
      ...DIES_WITH_US,
      ...(newPrivileges ? [] : [NO_NEW_PRIVILEGES]),
      "--",
    ],
  };
};

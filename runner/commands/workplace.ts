import { chown, mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";

import type { Log } from "../../src/runtime/log.ts";
import type { Command } from "./prepare.ts";

/** Where an attempt runs, with the variables that belong to the place. */
export type Workplace = {
  readonly directory: string;
  readonly environment: Readonly<Record<string, string>>;
  /** Never rejects. */
  remove(): Promise<void>;
};

/** @throws what the file system throws */
export const createWorkplace = async (
  { directory, account }: Pick<Command, "directory" | "account">,
  log: Log,
): Promise<Workplace> => {
  if (directory !== null) {
    return { directory, environment: {}, remove: async () => await Promise.resolve() };
  }
  const fresh = await mkdtemp(join(tmpdir(), "millrace-command-"));
  const remove = async (): Promise<void> => {
    try {
      await rm(fresh, { recursive: true, force: true, maxRetries: 2 });
    } catch (cause) {
      log.warn({ err: cause, directory: fresh }, "the directory of a command is left behind");
    }
  };
  try {
    if (account !== null) await chown(fresh, account.uid, account.gid);
  } catch (cause) {
    await remove();
    throw cause;
  }
  return { directory: fresh, environment: { TMPDIR: fresh }, remove };
};

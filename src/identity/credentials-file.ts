import { mkdir, open, readFile, rename } from "node:fs/promises";
import { join } from "node:path";

import { z } from "zod";

/**
 * `credentials.json` in the data directory of a development server: how the CLI and a runner on
 * the same machine find it. Mode 0600: who reads it is an operator of the server.
 */
const schema = z.object({
  /** The public listener. */
  url: z.url(),
  /** The internal listener, for runners. */
  internalUrl: z.url(),
  organizationId: z.string().min(1),
  userId: z.string().min(1),
  /** Speaks for that user. */
  token: z.string().min(1),
  /** Lets a runner work. */
  runnerToken: z.string().min(1),
  /** Makes organizations. Empty in a file of an earlier version, until the server starts again. */
  operatorToken: z.string().default(""),
});

export type Credentials = Readonly<z.output<typeof schema>>;

const pathOf = (dataDir: string): string => join(dataDir, "credentials.json");

/** Null if there is no such file. @throws Error that names a file which is not what it should be */
export const readCredentials = async (dataDir: string): Promise<Credentials | null> => {
  const path = pathOf(dataDir);
  let text: string;
  try {
    text = await readFile(path, "utf8");
  } catch (cause) {
    if ((cause as NodeJS.ErrnoException).code === "ENOENT") return null;
    throw cause;
  }
  try {
    return schema.parse(JSON.parse(text));
  } catch (cause) {
    throw new Error(`${path} is damaged. Remove it and start again: new tokens are made.`, {
      cause,
    });
  }
};

/** All or nothing: readers see the old file or the new one. */
export const writeCredentials = async (
  dataDir: string,
  credentials: Credentials,
): Promise<void> => {
  await mkdir(dataDir, { recursive: true, mode: 0o700 });
  const [path, draft] = [pathOf(dataDir), `${pathOf(dataDir)}.${process.pid}`];
  const file = await open(draft, "w", 0o600);
  try {
    await file.chmod(0o600);
    await file.writeFile(`${JSON.stringify(credentials, null, 2)}\n`);
    await file.sync();
  } finally {
    await file.close();
  }
  await rename(draft, path);
};

import { mkdir, open, readFile, rename } from "node:fs/promises";
import { join } from "node:path";

/**
 * `credentials.json` in the data directory of a development server: how the CLI and a runner on
 * the same machine find it. Mode 0600: who reads it is an operator of the server.
 */
export type Credentials = {
  /** The public listener. */
  readonly url: string;
  /** The internal listener, for runners. */
  readonly internalUrl: string;
  readonly organizationId: string;
  readonly userId: string;
  /** Speaks for that user. */
  readonly token: string;
  /** Lets a runner work. */
  readonly runnerToken: string;
  /** Makes organizations. Empty in a file of an earlier version, until the server starts again. */
  readonly operatorToken: string;
};

/** Without zod, which would be a tenth of the start of every command. @throws Error that names a field */
const parse = (text: string): Credentials => {
  const found = Object(JSON.parse(text)) as Readonly<Record<string, unknown>>;
  const read = (name: keyof Credentials): string => {
    const value = found[name];
    if (typeof value === "string" && value !== "") return value;
    throw new Error(`${name} is missing`);
  };
  const readUrl = (name: "url" | "internalUrl"): string => {
    const value = read(name);
    if (URL.canParse(value)) return value;
    throw new Error(`${name} is no URL`);
  };
  return {
    url: readUrl("url"),
    internalUrl: readUrl("internalUrl"),
    organizationId: read("organizationId"),
    userId: read("userId"),
    token: read("token"),
    runnerToken: read("runnerToken"),
    operatorToken: (found["operatorToken"] ?? "") === "" ? "" : read("operatorToken"),
  };
};

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
    return parse(text);
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

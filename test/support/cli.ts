import { spawn } from "node:child_process";
import { text } from "node:stream/consumers";
import path from "node:path";

export const LAUNCHER = path.resolve(import.meta.dirname, "../../bin/millrace");

export type CliRun = {
  readonly code: number | null;
  readonly stdout: string;
  readonly stderr: string;
};

export type CliOptions = {
  readonly env?: Readonly<Record<string, string>>;
  readonly cwd?: string;
  /** Given on standard input. */
  readonly input?: string;
  readonly launcher?: string;
};

/** The command line as its users start it: the launcher, as a process, with no environment but this. */
export const runCli = async (
  args: readonly string[],
  options: CliOptions = {},
): Promise<CliRun> => {
  const child = spawn(options.launcher ?? LAUNCHER, args, {
    cwd: options.cwd,
    env: { PATH: "/usr/local/bin:/usr/bin:/bin", ...options.env },
    stdio: "pipe",
  });
  child.stdin.end(options.input ?? "");
  const closed = new Promise<number | null>((resolve, reject) => {
    child.once("error", reject);
    child.once("close", resolve);
  });
  const [stdout, stderr, code] = await Promise.all([
    text(child.stdout),
    text(child.stderr),
    closed,
  ]);
  return { code, stdout, stderr };
};

import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import path from "node:path";
import { createInterface } from "node:readline";
import { text } from "node:stream/consumers";

import pc from "picocolors";

const ROOT = path.resolve(import.meta.dirname, "../..");
const LAUNCHER = path.join(ROOT, "bin", "millrace");

export type Environment = Readonly<Record<string, string | undefined>>;

const quoted = (argument: string): string =>
  /^[\w@%+=:,./-]+$/.test(argument) ? argument : `'${argument}'`;

/** The command line as a person would type it. */
export const announce = (args: readonly string[]): void => {
  console.log(pc.dim(`\n$ millrace ${args.map(quoted).join(" ")}`));
};

/** Runs a command before the eyes of the reader and answers with its exit code. */
export const show = async (env: Environment, ...args: readonly string[]): Promise<number> => {
  announce(args);
  const child = spawn(LAUNCHER, args, { cwd: ROOT, env, stdio: "inherit" });
  const [code] = (await once(child, "exit")) as [number | null];
  return code ?? 1;
};

export type Ran = { readonly code: number | null; readonly printed: string };

/** The same, and also answers with what it printed. */
export const run = async (env: Environment, ...args: readonly string[]): Promise<Ran> => {
  announce(args);
  const child = spawn(LAUNCHER, args, { cwd: ROOT, env, stdio: ["ignore", "pipe", "inherit"] });
  const closed = once(child, "close") as Promise<[number | null]>;
  const [printed, [code]] = await Promise.all([text(child.stdout), closed]);
  process.stdout.write(printed);
  return { code, printed };
};

/**
 * Starts `millrace dev` as a process and resolves when it says that it runs. The channel makes it
 * stop should the demo be killed.
 */
export const startMillrace = async (
  env: Environment,
  ...args: readonly string[]
): Promise<ChildProcess> => {
  announce(["dev", ...args]);
  const child = spawn(LAUNCHER, ["dev", ...args], {
    cwd: ROOT,
    env,
    stdio: ["ignore", "pipe", "inherit", "ipc"],
  });
  const lines = createInterface({ input: child.stdout as NodeJS.ReadableStream });
  await new Promise<void>((resolve, reject) => {
    lines.on("line", (line) => {
      console.log(line);
      if (line.startsWith("Millrace is running")) resolve();
    });
    child.once("exit", (code) => {
      reject(new Error(`millrace dev ended with ${code} instead of starting`));
    });
    child.once("error", reject);
  });
  return child;
};

/** Asks it to end, as Ctrl-C would, and answers with its exit code. */
export const stopMillrace = async (child: ChildProcess): Promise<number | null> => {
  if (child.exitCode !== null || child.signalCode !== null) return child.exitCode;
  const exited = once(child, "exit") as Promise<[number | null]>;
  child.kill("SIGTERM");
  return (await exited)[0];
};

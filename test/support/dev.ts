import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtemp, readFile, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import path from "node:path";
import { createInterface } from "node:readline";

import { LAUNCHER, type CliOptions, type CliRun } from "./cli.ts";
import { runCliHere } from "./cli-here.ts";
import { childrenOf } from "./sandbox-processes.ts";

/** `millrace dev` as a process: a real server and a real runner on a folder of their own. */
export type Dev = {
  readonly process: ChildProcess;
  readonly dataDir: string;
  readonly url: string;
  readonly token: string;
  /** The process id of the runner that it started. */
  runnerPid(): number;
  /** A command that finds this server by its data directory, in this process. */
  cli(args: readonly string[], options?: Pick<CliOptions, "input">): Promise<CliRun>;
  /** Everything that it has written to its error output. */
  errors(): string;
  /** Ends it as SIGTERM does, removes its folder, and answers with the exit code. */
  stop(): Promise<number | null>;
};

export const startDev = async (
  environment: Readonly<Record<string, string>> = {},
): Promise<Dev> => {
  const dataDir = await mkdtemp(path.join(tmpdir(), "millrace-cli-"));
  const child = spawn(
    LAUNCHER,
    ["dev", "--data-dir", dataDir, "--port", "0", "--internal-port", "0"],
    {
      env: { PATH: "/usr/local/bin:/usr/bin:/bin", MILLRACE_METRICS_LISTEN: "off", ...environment },
      stdio: ["ignore", "pipe", "pipe"],
    },
  );
  let errors = "";
  child.stderr.on("data", (text: Buffer) => {
    errors += text.toString("utf8");
  });
  const exited = once(child, "exit") as Promise<[number | null]>;
  await new Promise<void>((resolve, reject) => {
    createInterface({ input: child.stdout }).on("line", (line) => {
      if (line.startsWith("Millrace is running")) resolve();
    });
    void exited.then(() => {
      reject(new Error(`millrace dev did not start: ${errors}`));
    });
  });
  const credentials = JSON.parse(
    await readFile(path.join(dataDir, "credentials.json"), "utf8"),
  ) as { readonly url: string; readonly token: string };
  return {
    process: child,
    dataDir,
    url: credentials.url,
    token: credentials.token,
    runnerPid: () => {
      const [pid] = childrenOf(child.pid ?? 0);
      if (pid === undefined) throw new Error("no runner runs now");
      return pid;
    },
    cli: async (args, { input } = {}) =>
      await runCliHere(args, { MILLRACE_DATA_DIR: dataDir }, undefined, input),
    errors: () => errors,
    stop: async () => {
      child.kill("SIGTERM");
      const [code] = await exited;
      await rm(dataDir, { recursive: true, force: true });
      return code;
    },
  };
};

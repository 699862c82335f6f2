import { mkdtemp, readFile, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import path from "node:path";

import { composeRunner, readRunnerConfig } from "../../runner/main.ts";
import { loadConfig } from "../../src/config.ts";
import { startServer } from "../../src/serve.ts";
import { runCliHere } from "./cli-here.ts";
import type { Dev } from "./dev.ts";
import { copyTemplate } from "./templates.ts";

export type DevHere = Pick<Dev, "dataDir" | "url" | "token" | "cli"> & { stop(): Promise<void> };

/** What `startDev` starts, within this process: a third of the work. */
export const startDevHere = async (): Promise<DevHere> => {
  await using stack = new AsyncDisposableStack();
  const dataDir = await mkdtemp(path.join(tmpdir(), "millrace-cli-"));
  stack.defer(async () => await rm(dataDir, { recursive: true, force: true }));
  await copyTemplate(path.join(dataDir, "millrace.db"));
  const server = await startServer(
    loadConfig({
      MILLRACE_DATA_DIR: dataDir,
      MILLRACE_LISTEN: "127.0.0.1:0",
      MILLRACE_INTERNAL_LISTEN: "127.0.0.1:0",
      MILLRACE_METRICS_LISTEN: "off",
      MILLRACE_LOG_LEVEL: "silent",
      MILLRACE_CALLBACK_ALLOW: "127.0.0.1",
    }),
  );
  stack.defer(async () => await server.stop());
  const { url, token, runnerToken } = JSON.parse(
    await readFile(path.join(dataDir, "credentials.json"), "utf8"),
  ) as { readonly url: string; readonly token: string; readonly runnerToken: string };
  const runner = composeRunner({
    config: readRunnerConfig({
      MILLRACE_INTERNAL_URL: server.internalUrl,
      MILLRACE_RUNNER_TOKEN: runnerToken,
    }),
  });
  await runner.start();
  stack.defer(async () => await runner.stop());
  const all = stack.move();
  return {
    dataDir,
    url,
    token,
    cli: async (args, { input } = {}) =>
      await runCliHere(args, { MILLRACE_DATA_DIR: dataDir }, undefined, input),
    stop: async () => await all.disposeAsync(),
  };
};

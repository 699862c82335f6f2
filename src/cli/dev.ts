import { type Environment, loadConfig, type ServerConfig } from "../config.ts";
import type { Credentials } from "../identity/credentials-file.ts";
import type { Service } from "../runtime/lifecycle.ts";
import type { RunningServer } from "../serve.ts";
import { startFailure } from "./database.ts";
import { EXIT, type ExitCode } from "./exit-codes.ts";
import { CliFailure, usageFailure } from "./failure.ts";
import { aborted } from "./interrupt.ts";
import { addExamples } from "./options.ts";
import { parseInteger } from "./parse.ts";
import type { Register } from "./program.ts";
import { localCredentials } from "./settings.ts";
import { printLine, type Shell } from "./shell.ts";
import { createSupervisedChild } from "./supervised-child.ts";

type Options = {
  readonly dataDir?: string;
  readonly port?: number;
  readonly internalPort?: number;
};

/** Quieter and quicker to end than programs of their own: a person sits before it. */
const environmentOf = (options: Options, environment: Environment): Environment => ({
  MILLRACE_LOG_LEVEL: "warn",
  MILLRACE_RUNNER_DRAIN_SECONDS: "5",
  MILLRACE_CALLBACK_ALLOW: "localhost,127.0.0.0/8,::1",
  ...environment,
  ...(options.dataDir === undefined ? {} : { MILLRACE_DATA_DIR: options.dataDir }),
  ...(options.port === undefined ? {} : { MILLRACE_LISTEN: `127.0.0.1:${options.port}` }),
  ...(options.internalPort === undefined
    ? {}
    : { MILLRACE_INTERNAL_LISTEN: `127.0.0.1:${options.internalPort}` }),
});

const welcome = (config: ServerConfig, credentials: Credentials): string =>
  [
    "Millrace is running: a server and a runner.",
    "",
    `  API       ${credentials.url}  (gRPC, gRPC-Web, Connect)`,
    `  runners   ${credentials.internalUrl}`,
    `  data      ${config.dataDir}`,
    "  token     in credentials.json there; the command line finds it by itself",
    "",
    "  Try: millrace job submit --script examples/scripts/hello.ts --watch",
    "  Ctrl-C stops both.",
  ].join("\n");

/** The runner as a process of its own: nothing that a script does can touch the server. */
const createRunnerProcess = (
  environment: Environment,
  credentials: Credentials,
  shell: Shell,
): Service =>
  createSupervisedChild({
    command: process.execPath,
    args: [...process.execArgv, process.argv[1] ?? "", "runner"],
    environment: {
      ...environment,
      MILLRACE_INTERNAL_URL: credentials.internalUrl,
      MILLRACE_RUNNER_TOKEN: credentials.runnerToken,
    },
    clock: shell.clock,
    onDeath: (how, restartMs) => {
      printLine(shell.stderr, `The runner died (${how}); another starts in ${restartMs} ms.`);
    },
  });

const start = async (config: ServerConfig): Promise<RunningServer> => {
  try {
    const { startServer } = await import("../serve.ts");
    return await startServer(config);
  } catch (caught) {
    throw startFailure(caught);
  }
};

const dev = async (options: Options, shell: Shell): Promise<ExitCode> => {
  const environment = environmentOf(options, shell.environment);
  const config = loadConfig(environment);
  if (!config.development) {
    throw usageFailure(
      "`millrace dev` runs on its embedded database, but the environment names another.",
      "Run `millrace serve` and `millrace runner`, or unset MILLRACE_DATABASE_URL and MYSQL_*.",
    );
  }
  const server = await start(config);
  try {
    const credentials = await localCredentials(config.dataDir);
    if (credentials === null) {
      throw new CliFailure(
        EXIT.unreachable,
        `The server left no credentials in ${config.dataDir}.`,
      );
    }
    const runner = createRunnerProcess(environment, credentials, shell);
    await runner.start();
    printLine(shell.stdout, welcome(config, credentials));
    await aborted(shell.signal);
    // The runner first: it drains, and reports what it has to a server that still listens.
    await runner.stop();
  } finally {
    await server.stop();
  }
  printLine(shell.stdout, "Stopped.");
  return EXIT.ok;
};

export const registerDev: Register = (parent, shell, act) => {
  const command = parent
    .command("dev")
    .description("Runs a server on embedded SQLite, and a runner beside it, until Ctrl-C.")
    .option("--data-dir <folder>", "where the data is kept (MILLRACE_DATA_DIR, else .millrace)")
    .option("--port <n>", "the port of the API, 0 for a free one (MILLRACE_LISTEN)", parseInteger)
    .option("--internal-port <n>", "the port for runners (MILLRACE_INTERNAL_LISTEN)", parseInteger)
    .action(act(async (options: Options) => await dev(options, shell)));
  addExamples(
    command,
    "millrace dev",
    "millrace dev --data-dir /tmp/try --port 0 --internal-port 0",
  );
};

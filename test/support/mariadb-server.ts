/** A throw-away database server in a folder of its own, with full durability. */
import { execFile, spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtemp, rm } from "node:fs/promises";
import { createServer, type Socket } from "node:net";
import { tmpdir, userInfo } from "node:os";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";

import type { Installed } from "./mariadb-find.ts";

const run = promisify(execFile);

/** What the guard process runs, and what it removes afterwards. */
export type Guarded = {
  readonly command: string;
  readonly args: readonly string[];
  readonly folder: string;
};

export type RunningServer = {
  /** Of the server's root, without a database. */
  readonly url: string;
  stop(): Promise<void>;
};

/** Printed by MariaDB and MySQL, in containers too, when they listen on a port. */
const READY = /ready for connections[^]*?port: [1-9]/;

const freePort = async (): Promise<number> => {
  const server = createServer().listen(0, "127.0.0.1");
  await once(server, "listening");
  const address = server.address();
  server.close();
  await once(server, "close");
  if (address === null || typeof address === "string") throw new Error("no free port");
  return address.port;
};

/** Resolves when the server says that it is ready. */
const startGuarded = async (guarded: Guarded, url: string): Promise<RunningServer> => {
  const guard = spawn(
    process.execPath,
    [fileURLToPath(new URL("mariadb-guard.ts", import.meta.url)), JSON.stringify(guarded)],
    { stdio: ["pipe", "pipe", "pipe"], detached: true },
  );
  const closed = once(guard, "close");
  await new Promise<void>((resolve, reject) => {
    let log = "";
    const listen = (chunk: Buffer): void => {
      log += chunk.toString();
      if (READY.test(log)) resolve();
    };
    guard.stdout.on("data", listen);
    guard.stderr.on("data", listen);
    guard.on("close", () => {
      reject(new Error(`${guarded.command} did not start:\n${log.slice(-2_000)}`));
    });
  });
  // From here on the log is read and dropped, and a process that forgets to stop may still end.
  for (const pipe of [guard.stdout, guard.stderr]) pipe.removeAllListeners("data").resume();
  for (const pipe of [guard.stdin, guard.stdout, guard.stderr]) (pipe as Socket).unref();
  guard.unref();
  return {
    url,
    stop: async () => {
      guard.ref();
      guard.stdin.end();
      await closed;
    },
  };
};

/** Servers refuse to run as root unless they are told to. */
const asRoot = userInfo().uid === 0 ? ["--user=root"] : [];

const install = async ({ server, installer }: Installed, data: string): Promise<void> => {
  if (installer === null) {
    await run(server, ["--no-defaults", "--initialize-insecure", `--datadir=${data}`, ...asRoot]);
    return;
  }
  // Without --user: it would give that user a folder of the system's own MariaDB.
  const args = [
    "--no-defaults",
    `--datadir=${data}`,
    "--auth-root-authentication-method=normal",
    "--skip-test-db",
  ];
  // Of its own, as below: two that install at once remove each other's temporary tables.
  await run(installer, args, { env: { ...process.env, TMPDIR: dirname(data) } });
};

export const startInstalled = async (installed: Installed): Promise<RunningServer> => {
  const folder = await mkdtemp(join(tmpdir(), "millrace-mariadb-"));
  const data = join(folder, "data");
  try {
    await install(installed, data);
  } catch (cause) {
    await rm(folder, { recursive: true, force: true });
    throw cause;
  }
  const port = await freePort();
  const args = [
    "--no-defaults",
    `--datadir=${data}`,
    `--socket=${join(folder, "socket")}`,
    // Of its own: a server that starts removes the temporary tables that it finds there.
    `--tmpdir=${folder}`,
    `--pid-file=${join(folder, "pid")}`,
    `--port=${port}`,
    "--bind-address=127.0.0.1",
    "--skip-name-resolve",
    "--innodb-flush-log-at-trx-commit=1",
    "--innodb-buffer-pool-size=256M",
    ...(installed.installer === null ? ["--mysqlx=OFF", "--skip-log-bin"] : []),
    ...asRoot,
  ];
  return await startGuarded(
    { command: installed.server, args, folder },
    `mysql://root@127.0.0.1:${port}`,
  );
};

const IMAGE = "mariadb:11.4";

export const startContainer = async (docker: string): Promise<RunningServer> => {
  const folder = await mkdtemp(join(tmpdir(), "millrace-mariadb-"));
  const port = await freePort();
  // --sig-proxy and --rm: the container ends and vanishes with the client that runs it.
  const args = [
    ...["run", "--rm", "--init", "-p", `127.0.0.1:${port}:3306`],
    ...["-e", "MARIADB_ALLOW_EMPTY_ROOT_PASSWORD=1", IMAGE, "--innodb-flush-log-at-trx-commit=1"],
  ];
  return await startGuarded({ command: docker, args, folder }, `mysql://root@127.0.0.1:${port}`);
};

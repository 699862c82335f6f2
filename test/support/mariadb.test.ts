import { spawn } from "node:child_process";
import { once } from "node:events";
import { existsSync } from "node:fs";
import { fileURLToPath } from "node:url";

import { createConnection } from "mysql2/promise";
import { expect, test } from "vitest";

import { findInstalled } from "./mariadb-find.ts";
import { startInstalled } from "./mariadb-server.ts";

const SERVER = fileURLToPath(new URL("mariadb-server.ts", import.meta.url));
const FIND = fileURLToPath(new URL("mariadb-find.ts", import.meta.url));

const installed = await findInstalled();

/** Where the server at this address keeps its files. */
const folderOf = async (url: string): Promise<string> => {
  const connection = await createConnection({ uri: url });
  const [[row]] = (await connection.query("SELECT @@datadir AS folder")) as unknown as [
    [{ folder: string }],
  ];
  await connection.end();
  return row.folder;
};

const gone = async (folder: string): Promise<void> => {
  while (existsSync(folder)) await new Promise((resolve) => setImmediate(resolve));
};

test.skipIf(installed === null)("a server is durable, and leaves nothing behind", async () => {
  if (installed === null) return;
  const server = await startInstalled(installed);
  const connection = await createConnection({ uri: server.url });
  const [[row]] = (await connection.query(
    "SELECT @@innodb_flush_log_at_trx_commit AS flush, @@datadir AS folder",
  )) as unknown as [[{ flush: number; folder: string }]];
  expect(row.flush).toBe(1);
  await connection.end();
  await server.stop();
  expect(existsSync(row.folder)).toBe(false);
  await expect(createConnection({ uri: server.url })).rejects.toThrow(/ECONNREFUSED/);
});

test.skipIf(installed === null)("a server goes when whoever started it is killed", async () => {
  const script = `import { findInstalled } from ${JSON.stringify(FIND)};
    import { startInstalled } from ${JSON.stringify(SERVER)};
    console.log((await startInstalled(await findInstalled())).url);
    setInterval(() => {}, 1000);`;
  const starter = spawn(process.execPath, ["--input-type=module", "-e", script]);
  const [url] = (await once(starter.stdout, "data")) as [Buffer];
  const folder = await folderOf(url.toString().trim());
  starter.kill("SIGKILL");
  await gone(folder);
  await expect(createConnection({ uri: url.toString().trim() })).rejects.toThrow(/ECONNREFUSED/);
});

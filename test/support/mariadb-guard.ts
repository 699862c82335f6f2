/**
 * Runs one database server and outlives nobody: when the pipe on stdin closes, because `stop` was
 * called or because the process at its other end died in whatever way, the server is killed and
 * its folder removed. Argument: a `Guarded` as JSON.
 */
import { spawn } from "node:child_process";
import { rm } from "node:fs/promises";

import type { Guarded } from "./mariadb-server.ts";

const { command, args, folder } = JSON.parse(process.argv[2] ?? "") as Guarded;

const server = spawn(command, args, { stdio: ["ignore", "inherit", "inherit"] });

// Ctrl-C reaches the whole process group: the pipe decides, not the signal.
for (const signal of ["SIGINT", "SIGTERM", "SIGHUP"] as const) process.on(signal, () => {});

server.on("error", (cause) => {
  process.stderr.write(`${String(cause)}\n`);
});
process.stdin.resume();
process.stdin.on("end", () => {
  server.kill("SIGKILL");
});
server.on("close", () => {
  void rm(folder, { recursive: true, force: true }).finally(() => process.exit());
});

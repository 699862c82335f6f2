import { readFileSync } from "node:fs";
import { mkdtemp, readdir, rename, rm } from "node:fs/promises";
import { once } from "node:events";
import { createConnection, createServer, type Server } from "node:net";
import { hostname } from "node:os";
import { join } from "node:path";

/**
 * The folder of one runner process, for as long as it lives. Its mark of life is a socket in it that
 * the process listens on: the kernel closes it with the process, however that ends, and whoever sees
 * the folder can ask, from another container too.
 */
export type Folder = {
  readonly path: string;
  remove(): Promise<void>;
};

const NAME = "millrace-sandbox-";
const SOCKET = "alive";

/** Names the running kernel: only on the same one does a socket that refuses mean a dead process. */
const kernelTag = (): string => {
  try {
    return readFileSync("/proc/sys/kernel/random/boot_id", "latin1").slice(0, 8);
  } catch {
    // Not Linux.
    return hostname().replaceAll(/[^\w]/g, "-");
  }
};

const prefix = (): string => `${NAME}${kernelTag()}-`;

/** A new folder in `parent`, which nobody takes for a leftover before it is removed. */
export const claimFolder = async (parent: string): Promise<Folder> => {
  const path = await mkdtemp(join(parent, prefix()));
  const lock = createServer((socket) => socket.destroy()).unref();
  await listenIn(lock, path);
  return {
    path,
    remove: async () => {
      await rm(path, { recursive: true, force: true });
      lock.close();
    },
  };
};

/** The socket gets its name when it answers: before, it would refuse as a dead one does. */
const listenIn = async (lock: Server, path: string): Promise<void> => {
  const early = join(path, "starting");
  try {
    await once(lock.listen(early), "listening");
  } catch {
    // Most often a path of more than 107 bytes. A folder without a mark of life is never removed.
    return;
  }
  await rename(early, join(path, SOCKET));
};

/** Removes what runners on this kernel left in `parent` when they were killed; answers with the paths. */
export const removeLeftovers = async (parent: string): Promise<readonly string[]> => {
  const names = await readdir(parent);
  const folders = names.filter((name) => name.startsWith(prefix()));
  const removed = await Promise.all(
    folders.map(async (name) => {
      const path = join(parent, name);
      if (!(await refuses(join(path, SOCKET)))) return [];
      await rm(path, { recursive: true, force: true });
      return [path];
    }),
  );
  return removed.flat();
};

/** Anything but a refusal may be a process that lives: one that is starting, slow, or another user's. */
const refuses = async (socket: string): Promise<boolean> =>
  await new Promise((resolve) => {
    const connection = createConnection(socket);
    connection.once("connect", () => {
      connection.destroy();
      resolve(false);
    });
    connection.once("error", (cause) => {
      resolve("code" in cause && cause.code === "ECONNREFUSED");
    });
  });

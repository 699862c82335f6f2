import { execFile } from "node:child_process";
import { existsSync } from "node:fs";
import { promisify } from "node:util";

const run = promisify(execFile);

/** One wall more around the children. `prefix` goes in front of their command. */
export type Layer = { readonly name: string; readonly prefix: readonly string[] };

const program = (name: string): string | undefined =>
  [`/usr/bin/${name}`, `/bin/${name}`].find((path) => existsSync(path));

const withProgram = (name: string, args: readonly string[]): readonly string[] | null => {
  const path = program(name);
  return path === undefined ? null : [path, ...args];
};

/** A shell puts its own variables into an empty environment: hence only where nothing else is. */
const withShell = (limits: string): readonly string[] | null =>
  withProgram("sh", ["-c", `unset PWD OLDPWD; ${limits} && exec "$0" "$@"`]);

/** Address space: 1.4 GB for Node, 0.8 GB for each of two isolates, and a budget (measured). */
const ADDRESS_SPACE_BYTES = 4 * 1024 ** 3;

const candidates: readonly { readonly name: string; readonly prefix: readonly string[] | null }[] =
  [
    {
      name: "namespaces",
      prefix: withProgram("unshare", ["--user", "--net", "--ipc", "--"]),
    },
    {
      name: "dies with its parent, no new privileges",
      prefix: withProgram("setpriv", ["--pdeathsig", "KILL", "--no-new-privs", "--"]),
    },
    {
      name: "limits of core files and descriptors",
      prefix:
        withProgram("prlimit", ["--core=0", "--nofile=64", "--"]) ??
        withShell("ulimit -c 0 && ulimit -n 64"),
    },
    {
      name: "limit of address space",
      prefix:
        withProgram("prlimit", [`--as=${ADDRESS_SPACE_BYTES}`, "--"]) ??
        withShell(`ulimit -v ${ADDRESS_SPACE_BYTES / 1024}`),
    },
  ];

/** Which layers this system allows, found by trying each one. Outermost first. */
export const probeLayers = async (): Promise<{
  readonly active: readonly Layer[];
  readonly missing: readonly string[];
}> => {
  const tried = await Promise.all(
    candidates.map(async ({ name, prefix }) => ({
      name,
      prefix: prefix !== null && (await works(prefix)) ? prefix : null,
    })),
  );
  return {
    active: tried.flatMap(({ name, prefix }) => (prefix === null ? [] : [{ name, prefix }])),
    missing: tried.flatMap(({ name, prefix }) => (prefix === null ? [name] : [])),
  };
};

const works = async ([file, ...args]: readonly string[]): Promise<boolean> => {
  if (file === undefined) return false;
  try {
    await run(file, [...args, process.execPath, "--version"], { env: {}, timeout: 5_000 });
    return true;
  } catch {
    // Any failure means the same: this system does not have the layer.
    return false;
  }
};

import { execFile } from "node:child_process";
import { existsSync, readdirSync, readlinkSync } from "node:fs";
import { promisify } from "node:util";

import { childCommand } from "./launch.ts";
import type { Lockdown } from "./lockdown.ts";
import type { Home } from "./program.ts";
import { withoutRing } from "./ring.ts";

const run = promisify(execFile);

/** Every wall around the children, outermost first. docs/sandbox.md says what is gone without one. */
export const LAYERS = [
  "outside-watch",
  "namespaces",
  "no-new-privileges",
  "descriptor-limit",
  "address-space-limit",
  "no-io-uring",
  "node-permissions",
  "syscall-filter",
] as const;
export type LayerName = (typeof LAYERS)[number];

/** What this system allows. */
export type Layers = {
  readonly active: readonly LayerName[];
  readonly missing: readonly LayerName[];
  /** Goes in front of a child's command. */
  readonly prefix: readonly string[];
};

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

type Prefix = readonly string[];

/** Ways to a layer, the best first. */
const candidates: readonly (readonly [LayerName, readonly (Prefix | null)[]])[] = [
  [
    "namespaces",
    [
      withProgram("unshare", ["--user", "--net", "--ipc", "--"]),
      // Where users may make no namespaces, but we are privileged.
      withProgram("unshare", ["--net", "--ipc", "--"]),
    ],
  ],
  ["no-new-privileges", [withProgram("setpriv", ["--pdeathsig", "KILL", "--no-new-privs", "--"])]],
  [
    "descriptor-limit",
    [
      withProgram("prlimit", ["--core=0", "--nofile=64", "--"]),
      withShell("ulimit -c 0 && ulimit -n 64"),
    ],
  ],
  [
    "address-space-limit",
    [
      withProgram("prlimit", [`--as=${ADDRESS_SPACE_BYTES}`, "--"]),
      withShell(`ulimit -v ${ADDRESS_SPACE_BYTES / 1024}`),
    ],
  ],
];

/** A try takes a tenth of a second. On a machine that is busy a layer must not be missing for that. */
const TRY_MS = 60_000;

let probed: Promise<Layers> | null = null;

/** Which layers this system allows, found by trying each one; once in the life of a process. */
export const probeLayers = async (home: Home): Promise<Layers> => {
  probed ??= probe(home);
  return await probed;
};

const probe = async (home: Home): Promise<Layers> => {
  const found = await Promise.all(
    candidates.map(async ([name, ways]) => ({ name, prefix: await firstThatWorks(ways) })),
  );
  const active = new Set<LayerName>(["node-permissions"]);
  if (process.platform === "linux") active.add("outside-watch");
  let prefix: Prefix = [];
  for (const { name, prefix: way } of found) {
    if (way === null) continue;
    active.add(name);
    prefix = [...prefix, ...way];
  }
  const { locked, prefix: whole } = await lockdownBehind(prefix, home);
  if (locked !== null) active.add("syscall-filter");
  if (locked?.ring === false) active.add("no-io-uring");
  return {
    active: LAYERS.filter((name) => active.has(name)),
    missing: LAYERS.filter((name) => !active.has(name)),
    prefix: whole,
  };
};

const firstThatWorks = async (ways: readonly (Prefix | null)[]): Promise<Prefix | null> => {
  for (const way of ways) {
    if (way !== null && (await works(way))) return way;
  }
  return null;
};

const works = async ([file, ...args]: Prefix): Promise<boolean> => {
  if (file === undefined) return false;
  try {
    await run(file, [...args, process.execPath, "--version"], { env: {}, timeout: TRY_MS });
    return true;
  } catch {
    // Any failure means the same: this system does not have the layer.
    return false;
  }
};

/** Where this process has a ring of io_uring, its children would have one, too. */
const haveRing = (): boolean => {
  const open = "/proc/self/fd";
  if (!existsSync(open)) return false;
  return readdirSync(open).some((fd) => {
    try {
      return readlinkSync(`${open}/${fd}`).includes("io_uring");
    } catch {
      // The one that was open for the list itself.
      return false;
    }
  });
};

/** What a child can be behind so that it has no ring, if there is a way; it need not be more than `prefix`. */
const lockdownBehind = async (
  prefix: Prefix,
  home: Home,
): Promise<{ readonly prefix: Prefix; readonly locked: Lockdown | null }> => {
  const refusals = withoutRing(withProgram).filter((way) => way !== null);
  // Each try is the start of a child: the likely one comes first.
  const ways = haveRing() ? [...refusals, []] : [[], ...refusals];
  let best: Lockdown | null = null;
  for (const way of ways) {
    const whole = [...prefix, ...way];
    const locked = await tryLockdown(whole, home);
    if (locked?.ring === false) return { prefix: whole, locked };
    if (way.length === 0) best = locked;
  }
  return { prefix, locked: best };
};

/** Null: a child cannot lock itself down. `ring`: it has a ring of io_uring that it must keep. */
const tryLockdown = async (prefix: Prefix, home: Home): Promise<Lockdown | null> => {
  const { file, args } = childCommand({ prefix, active: ["syscall-filter"] }, home, "check");
  try {
    const { stdout } = await run(file, args, { env: {}, cwd: home.directory, timeout: TRY_MS });
    return JSON.parse(stdout) as Lockdown;
  } catch {
    // As above. Experimental as it is, node:ffi may also be gone from a later Node.
    return null;
  }
};

/** The programs of Prometheus that this machine has, or can have. */
import { execFile } from "node:child_process";
import { access, constants, mkdir, mkdtemp, readdir, rename, rm } from "node:fs/promises";
import { homedir } from "node:os";
import { delimiter, join } from "node:path";
import { promisify } from "node:util";

const run = promisify(execFile);

export type Prometheus = {
  /** The server. */
  readonly prometheus: string;
  /** Checks and tests rules. */
  readonly promtool: string;
};

/** Kept between runs: the package has 19 MB. */
const CACHE = join(
  process.env["XDG_CACHE_HOME"] || join(homedir(), ".cache"),
  "millrace-tests",
  "prometheus",
);

const inFolder = async (folder: string): Promise<Prometheus | null> => {
  const found = { prometheus: join(folder, "prometheus"), promtool: join(folder, "promtool") };
  try {
    await Promise.all(Object.values(found).map((path) => access(path, constants.X_OK)));
    return found;
  } catch {
    return null;
  }
};

const findInstalled = async (): Promise<Prometheus | null> => {
  const folders = (process.env["PATH"] ?? "").split(delimiter);
  for (const folder of [...folders, "/usr/bin", "/usr/local/bin", join(CACHE, "usr/bin")]) {
    const found = await inFolder(folder);
    if (found !== null) return found;
  }
  return null;
};

/**
 * Debian's or Ubuntu's package, unpacked into a folder of our own: nothing is installed, no service is
 * started, and nobody needs to be root. @throws Error
 */
const unpackPackage = async (): Promise<Prometheus> => {
  const parent = join(CACHE, "..");
  await mkdir(parent, { recursive: true });
  const folder = await mkdtemp(join(parent, "prometheus-"));
  try {
    await run("apt-get", ["download", "-q", "prometheus"], { cwd: folder, timeout: 300_000 });
    const deb = (await readdir(folder)).find((name) => name.endsWith(".deb")) ?? "";
    await run("dpkg", ["-x", join(folder, deb), join(folder, "root")]);
    // Somebody else may have been faster.
    await rename(join(folder, "root"), CACHE).catch(() => {});
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
  const found = await inFolder(join(CACHE, "usr/bin"));
  if (found === null) throw new Error("the package has no prometheus and no promtool");
  return found;
};

/** @throws Error that says how to get it, where there is none and none can be had */
export const findPrometheus = async (): Promise<Prometheus> => {
  const found = await findInstalled();
  if (found !== null) return found;
  try {
    return await unpackPackage();
  } catch (cause) {
    throw new Error(
      "These tests need prometheus and promtool on the PATH. Debian and Ubuntu have them in the package prometheus; elsewhere see https://prometheus.io/download/.",
      { cause },
    );
  }
};

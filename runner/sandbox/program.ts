import { existsSync, mkdirSync, renameSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";

import { bundle, type BundleOptions } from "../bundle.ts";

const ROOT = fileURLToPath(new URL("../../", import.meta.url));
const ENTRY = "sandbox/child.js";

/** The child's program as JavaScript, by path. */
export type Program = ReadonlyMap<string, string>;

/**
 * What a child consists of, as one CommonJS file: Node's loader of ES modules, asked for a dozen
 * files, takes a fifth of a start. A copy, so that a child may read nothing of where we are installed.
 */
export const bundleProgram = async (
  entry: Pick<BundleOptions, "entryPoints" | "stdin">,
): Promise<Program> => {
  const text = await bundle({ ...entry, absWorkingDir: ROOT, platform: "node", format: "cjs" });
  return new Map([
    // Nothing above is looked for.
    ["package.json", '{ "type": "commonjs" }'],
    [ENTRY, text],
  ]);
};

let made: Promise<Program> | null = null;

/** Made once for each process. */
export const readProgram = async (): Promise<Program> => {
  made ??= bundleProgram({ entryPoints: ["runner/sandbox/child.ts"] });
  return await made;
};

/** Where a child finds its program, and the empty directory that it runs in. */
export type Home = {
  readonly entry: string;
  readonly readable: string;
  readonly directory: string;
  /**
   * Restores what a cleaner of old temporary files has taken. Cheap if nothing is missing.
   * @throws what the file system throws
   */
  restore(): void;
};

export const createHome = (base: string, program: Program): Home => {
  const readable = join(base, "program");
  const directory = join(base, "empty");
  const entry = join(readable, ENTRY);
  const restore = (): void => {
    mkdirSync(directory, { recursive: true });
    for (const [path, text] of program) {
      const file = join(readable, path);
      if (existsSync(file)) continue;
      mkdirSync(dirname(file), { recursive: true });
      // Under its name it is whole: a full disk leaves what looks like a program, and is none.
      writeFileSync(`${file}.part`, text);
      renameSync(`${file}.part`, file);
    }
  };
  restore();
  return { entry, readable, directory, restore };
};

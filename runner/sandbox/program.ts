import { existsSync, mkdirSync, readFileSync, renameSync, writeFileSync } from "node:fs";
import { stripTypeScriptTypes } from "node:module";
import { dirname, join, relative } from "node:path";
import { fileURLToPath } from "node:url";

const ROOT = fileURLToPath(new URL("../../", import.meta.url));
const ENTRY = "runner/sandbox/child.ts";

/** The child's program as JavaScript, by path. */
export type Program = ReadonlyMap<string, string>;

const OURS = /(from ")(\.[^"]+)\.ts(";)/g;

/**
 * What a child consists of, found by its imports. Stripped of types once here, because each child
 * would otherwise spend 60 ms of its start on that; and copied, so that a child may read nothing of
 * where we are installed.
 */
export const readProgram = (): Program => {
  const program = new Map([["package.json", '{ "type": "module" }']]);
  const visit = (path: string): void => {
    const name = path.replace(/\.ts$/, ".js");
    if (program.has(name)) return;
    const text = stripTypeScriptTypes(readFileSync(join(ROOT, path), "utf8"));
    program.set(name, text.replaceAll(OURS, "$1$2.js$3"));
    for (const [, , other = ""] of text.matchAll(OURS)) {
      visit(relative(ROOT, join(ROOT, dirname(path), `${other}.ts`)));
    }
  };
  visit(ENTRY);
  return program;
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
  const entry = join(readable, ENTRY.replace(/\.ts$/, ".js"));
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

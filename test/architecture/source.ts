import { readdir, readFile } from "node:fs/promises";
import path from "node:path";

/** One file of the project: its path from the root with `/`, and its text. */
export type Source = { readonly file: string; readonly text: string };

const ROOT = path.resolve(import.meta.dirname, "../..");

/** Every TypeScript file of these folders. A folder that is not there yet has none. */
export const readSources = async (...folders: readonly string[]): Promise<Source[]> => {
  const found: string[] = [];
  for (const folder of folders) {
    try {
      const entries = await readdir(path.join(ROOT, folder), { recursive: true });
      found.push(...entries.map((entry) => path.posix.join(folder, entry.replaceAll("\\", "/"))));
    } catch (caught) {
      if ((caught as NodeJS.ErrnoException).code !== "ENOENT") throw caught;
    }
  }
  return await Promise.all(
    found
      .filter((file) => file.endsWith(".ts"))
      .toSorted()
      .map(async (file) => ({ file, text: await readFile(path.join(ROOT, file), "utf8") })),
  );
};

const STATIC = /^\s*(?:import|export)\b[^;"']*?\bfrom\s*["']([^"']+)["']/gm;
const BARE = /^\s*import\s*["']([^"']+)["']/gm;
const DYNAMIC = /\bimport\(\s*["']([^"']+)["']\s*\)/g;

/** What a file imports or re-exports: paths from the root for its own kind, else package names. */
export const importsOf = ({ file, text }: Source): string[] =>
  [STATIC, BARE, DYNAMIC]
    .flatMap((pattern) => [...text.matchAll(pattern)].map((match) => match[1] ?? ""))
    .map((target) =>
      target.startsWith(".") ? path.posix.join(path.posix.dirname(file), target) : target,
    );

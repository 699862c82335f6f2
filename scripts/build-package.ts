/**
 * `npm pack` runs it: makes dist/, the JavaScript and the declarations of `millrace/runner`, for
 * applications that install the package. Node strips no types below node_modules. Inside the
 * repository nothing needs it.
 */
import { mkdir, mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import path from "node:path";

import { build } from "esbuild";

import { ROOT, runTool } from "./checks/step.ts";

const ENTRY = "runner/index.ts";
const DIST = path.join(ROOT, "dist");

const bundle = async (): Promise<void> => {
  await build({
    absWorkingDir: ROOT,
    entryPoints: [ENTRY],
    outfile: path.join(DIST, "runner.js"),
    bundle: true,
    packages: "external",
    platform: "node",
    format: "esm",
    target: "node20",
  });
};

const RELATIVE = /(from |import\()"(\.[^"]+)\.ts"/g;

/** The declarations of `entry`, and of what they speak of: not of everything that the code imports. */
const declarationsOf = async (
  folder: string,
  entry: string,
): Promise<ReadonlyMap<string, string>> => {
  const found = new Map<string, string>();
  const open = [entry];
  for (let name = open.pop(); name !== undefined; name = open.pop()) {
    if (found.has(name)) continue;
    const text = await readFile(path.join(folder, `${name}.d.ts`), "utf8");
    found.set(name, text.replaceAll(RELATIVE, '$1"$2.js"'));
    for (const [, , target = ""] of text.matchAll(RELATIVE)) {
      open.push(path.join(path.dirname(name), target));
    }
  }
  return found;
};

const declare = async (): Promise<void> => {
  const folder = await mkdtemp(path.join(tmpdir(), "millrace-types-"));
  try {
    const args = ["-p", "tsconfig.package.json", "--outDir", folder];
    const { code, output } = await runTool("tsc", args);
    if (code !== 0) throw new Error(output);
    for (const [name, text] of await declarationsOf(folder, ENTRY.replace(/\.ts$/, ""))) {
      const file = path.join(DIST, "types", `${name}.d.ts`);
      await mkdir(path.dirname(file), { recursive: true });
      await writeFile(file, text);
    }
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
};

await rm(DIST, { recursive: true, force: true });
await Promise.all([bundle(), declare()]);

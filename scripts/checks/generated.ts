import { mkdtemp, readdir, readFile, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import path from "node:path";

import { outcomeOf, ROOT, runTool, type Step } from "./step.ts";

const readTree = async (folder: string): Promise<ReadonlyMap<string, string>> => {
  const entries = await readdir(folder, { recursive: true, withFileTypes: true });
  const files = entries
    .filter((entry) => entry.isFile())
    .map((entry) => path.join(entry.parentPath, entry.name));
  return new Map(
    await Promise.all(
      files.map(
        async (file) => [path.relative(folder, file), await readFile(file, "utf8")] as const,
      ),
    ),
  );
};

/** Generates into a folder of its own and compares: what is committed is what the contract says. */
export const generated: Step = {
  name: "generated code",
  run: async () => {
    const folder = await mkdtemp(path.join(tmpdir(), "millrace-gen-"));
    try {
      const made = await runTool("buf", ["generate", "-o", folder]);
      if (made.code !== 0) return outcomeOf(made);
      const [fresh, committed] = await Promise.all([
        readTree(path.join(folder, "src", "gen")),
        readTree(path.join(ROOT, "src", "gen")),
      ]);
      const names = new Set([...fresh.keys(), ...committed.keys()]);
      const stale = [...names].filter((name) => fresh.get(name) !== committed.get(name));
      if (stale.length === 0) return { kind: "passed" };
      const list = stale.toSorted().map((name) => `  src/gen/${name}`);
      return {
        kind: "failed",
        output: ["These files are not what the contract says. Run `npm run gen`.", ...list].join(
          "\n",
        ),
      };
    } finally {
      await rm(folder, { recursive: true, force: true });
    }
  },
};

import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import path from "node:path";

import { type Outcome, outcomeOf, runTool, type Step } from "./step.ts";

const CONTRACT = ["buf.yaml", "proto", "third_party/proto"];

/** The commit of the main branch, as far as this clone knows one. */
const findMain = async (): Promise<string | null> => {
  for (const ref of ["origin/main", "main"]) {
    const found = await runTool("git", ["rev-parse", "--verify", "--quiet", `${ref}^{commit}`]);
    if (found.code === 0) return found.output.trim();
  }
  return null;
};

const holdsContract = async (commit: string): Promise<boolean> => {
  const listed = await runTool("git", ["ls-tree", "--name-only", commit, ...CONTRACT]);
  return CONTRACT.every((entry) => listed.output.split("\n").includes(entry));
};

/** Compares with an archive of main, because buf cannot clone from a shallow clone. */
const compare = async (commit: string): Promise<Outcome> => {
  const folder = await mkdtemp(path.join(tmpdir(), "millrace-breaking-"));
  try {
    const archive = path.join(folder, "main.tar");
    const made = await runTool("git", ["archive", "-o", archive, commit, "--", ...CONTRACT]);
    if (made.code !== 0) return outcomeOf(made);
    return outcomeOf(await runTool("buf", ["breaking", "--against", archive]));
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
};

export const breaking: Step = {
  name: "buf breaking against main",
  run: async () => {
    const commit = await findMain();
    if (commit === null) return { kind: "skipped", why: "this clone knows no branch main" };
    if (!(await holdsContract(commit))) return { kind: "skipped", why: "main has no contract yet" };
    return await compare(commit);
  },
};

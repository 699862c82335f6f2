import { spawn } from "node:child_process";
import path from "node:path";

export const ROOT = path.resolve(import.meta.dirname, "../..");

/** How one step of the check went. `output` is shown when it failed. */
export type Outcome =
  | { readonly kind: "passed" }
  | { readonly kind: "failed"; readonly output: string }
  | { readonly kind: "skipped"; readonly why: string };

export type Step = { readonly name: string; readonly run: () => Promise<Outcome> };

export type Finished = { readonly code: number; readonly output: string };

/** Runs a tool of node_modules/.bin, or of the system, from the root of the project. */
export const runTool = async (command: string, args: readonly string[]): Promise<Finished> =>
  await new Promise((resolve, reject) => {
    const bin = path.join(ROOT, "node_modules", ".bin");
    const child = spawn(command, args, {
      cwd: ROOT,
      env: { ...process.env, PATH: `${bin}${path.delimiter}${process.env["PATH"] ?? ""}` },
      stdio: ["ignore", "pipe", "pipe"],
    });
    const chunks: Buffer[] = [];
    child.stdout.on("data", (chunk: Buffer) => chunks.push(chunk));
    child.stderr.on("data", (chunk: Buffer) => chunks.push(chunk));
    child.once("error", reject);
    child.once("close", (code) => {
      resolve({ code: code ?? 1, output: Buffer.concat(chunks).toString("utf8") });
    });
  });

export const outcomeOf = ({ code, output }: Finished): Outcome =>
  code === 0 ? { kind: "passed" } : { kind: "failed", output };

/** A step that is one command line. */
export const toolStep = (name: string, command: string, ...args: readonly string[]): Step => ({
  name,
  run: async () => outcomeOf(await runTool(command, args)),
});

import { spawn } from "node:child_process";
import { once } from "node:events";
import path from "node:path";
import { text } from "node:stream/consumers";

import { expect } from "vitest";

const ROOT = path.resolve(import.meta.dirname, "../..");

/** Runs `examples/<name>.ts` as its readers do, from the root, and expects that it ends well. */
export const runExample = async (
  name: string,
): Promise<{ readonly stdout: string; readonly stderr: string }> => {
  const child = spawn(process.execPath, [path.join(ROOT, "examples", `${name}.ts`)], {
    cwd: ROOT,
    stdio: ["ignore", "pipe", "pipe"],
  });
  const [stdout, stderr, [code]] = await Promise.all([
    text(child.stdout),
    text(child.stderr),
    once(child, "exit") as Promise<[number | null]>,
  ]);
  expect({ code, stderr }).toMatchObject({ code: 0 });
  return { stdout, stderr };
};

import { spawn } from "node:child_process";
import { once } from "node:events";
import path from "node:path";
import { text } from "node:stream/consumers";

import { expect, test } from "vitest";

const ROOT = path.resolve(import.meta.dirname, "../..");

test("the report as a workflow is drawn, fails at its last step, and is retried there", async () => {
  const child = spawn(process.execPath, [path.join(ROOT, "examples", "report.ts")], {
    cwd: ROOT,
    stdio: ["ignore", "pipe", "pipe"],
  });
  const [stdout, stderr, [code]] = await Promise.all([
    text(child.stdout),
    text(child.stderr),
    once(child, "exit") as Promise<[number | null]>,
  ]);
  expect({ code, stderr }).toMatchObject({ code: 0 });
  expect(stdout).toMatch(/^4 ● notify +SUCCEEDED .*← transform, export$/m);
  expect(stdout).toMatch(/^4 ✗ notify +FAILED .*desk\.closed: nobody is at the desk$/m);
  expect(stdout).toContain("35717 quotes worth 30 711 174.73");
  expect(stdout).toContain("All of it happened.");
});

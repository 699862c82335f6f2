import { spawn } from "node:child_process";
import { once } from "node:events";
import path from "node:path";
import { text } from "node:stream/consumers";

import { expect, test } from "vitest";

const ROOT = path.resolve(import.meta.dirname, "../..");

test("the demo runs a report, kills a loop, finds the server unharmed, and cleans up", async () => {
  const child = spawn(process.execPath, [path.join(ROOT, "examples", "demo.ts")], {
    cwd: ROOT,
    stdio: ["ignore", "pipe", "pipe"],
  });
  const [stdout, stderr, [code]] = await Promise.all([
    text(child.stdout),
    text(child.stderr),
    once(child, "exit") as Promise<[number | null]>,
  ]);
  expect({ code, stderr }).toMatchObject({ code: 0 });
  expect(stderr).toMatch(/RUNNING +\d+ % +step 3\/6/);
  expect(stdout).toContain("Ten largest customers");
  expect(stdout).toContain("timeout.cpu");
  expect(stdout).toContain("Hello, again!");
  expect(stdout).toContain("Stopped.");
});

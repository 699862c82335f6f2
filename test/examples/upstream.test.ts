import { spawn } from "node:child_process";
import { once } from "node:events";
import path from "node:path";
import { text } from "node:stream/consumers";

import { expect, test } from "vitest";

const ROOT = path.resolve(import.meta.dirname, "../..");

test("the example of an upstream shows the operational user, a refusal and a dead token", async () => {
  const child = spawn(process.execPath, [path.join(ROOT, "examples", "upstream.ts")], {
    cwd: ROOT,
    stdio: ["ignore", "pipe", "pipe"],
  });
  const [stdout, stderr, [code]] = await Promise.all([
    text(child.stdout),
    text(child.stderr),
    once(child, "exit") as Promise<[number | null]>,
  ]);
  expect({ code, stderr }).toMatchObject({ code: 0 });
  expect(stdout).toMatch(/^2 ● readers +SUCCEEDED .*← make_token$/m);
  expect(stdout).toContain("The documents answer 401.");
  expect(stdout).toContain("Stopped.");
});

import { spawn } from "node:child_process";
import { once } from "node:events";
import path from "node:path";
import { text } from "node:stream/consumers";

import { expect, test } from "vitest";

const ROOT = path.resolve(import.meta.dirname, "../..");

test("the application with two handlers renders an invoice, sends one mail, and ends", async () => {
  const child = spawn(process.execPath, [path.join(ROOT, "examples", "handlers.ts")], {
    cwd: ROOT,
    stdio: ["ignore", "pipe", "pipe"],
  });
  const [stdout, stderr, [code]] = await Promise.all([
    text(child.stdout),
    text(child.stderr),
    once(child, "exit") as Promise<[number | null]>,
  ]);
  expect({ code, stderr }).toMatchObject({ code: 0 });
  expect(stderr).toMatch(/step 3\/3/);
  expect(stdout).toContain("with 19 % VAT                            1382.19");
  expect(stdout).toContain("mail.send, attempt 2: succeeded");
  expect(stderr).toContain("mail.rejected: 550 nobody is called nobody@example.org");
  expect(stderr).toContain("input.invalid: input/to: Invalid email address");
});

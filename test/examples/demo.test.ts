import { expect, test } from "vitest";

import { runExample } from "../support/example.ts";

test("the demo runs a report, kills a loop, finds the server unharmed, and cleans up", async () => {
  const { stdout, stderr } = await runExample("demo");
  expect(stderr).toMatch(/RUNNING +\d+ % +step 3\/6/);
  expect(stdout).toContain("Ten largest customers");
  expect(stdout).toContain("timeout.cpu");
  expect(stdout).toContain("Hello, again!");
  expect(stdout).toContain("Stopped.");
});

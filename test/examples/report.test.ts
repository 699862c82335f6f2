import { expect, test } from "vitest";

import { runExample } from "../support/example.ts";

test("the report as a workflow is drawn, fails at its last step, and is retried there", async () => {
  const { stdout } = await runExample("report");
  expect(stdout).toMatch(/^4 ● notify +SUCCEEDED .*← transform, export$/m);
  expect(stdout).toMatch(/^4 ✗ notify +FAILED .*desk\.closed: nobody is at the desk$/m);
  expect(stdout).toContain("35717 quotes worth 30 711 174.73");
  expect(stdout).toContain("All of it happened.");
});

import { expect, test } from "vitest";

import { runExample } from "../support/example.ts";

test("the example of an upstream shows the operational user, a refusal and a dead token", async () => {
  const { stdout } = await runExample("upstream");
  expect(stdout).toMatch(/^2 ● readers +SUCCEEDED .*← make_token$/m);
  expect(stdout).toContain("The documents answer 401.");
  expect(stdout).toContain("Stopped.");
});

import { expect, test } from "vitest";

import { runExample } from "../support/example.ts";

test("the application with two handlers renders an invoice, sends one mail, and ends", async () => {
  const { stdout, stderr } = await runExample("handlers");
  expect(stderr).toMatch(/step 3\/3/);
  expect(stdout).toContain("with 19 % VAT                            1382.19");
  expect(stdout).toContain("mail.send, attempt 2: succeeded");
  expect(stderr).toContain("mail.rejected: 550 nobody is called nobody@example.org");
  expect(stderr).toContain("input.invalid: input/to: Invalid email address");
});

import { afterAll, beforeAll, expect, it } from "vitest";

import { startTestServer, type TestServer } from "../support/server.ts";

let server: TestServer;
beforeAll(async () => {
  server = await startTestServer();
});
afterAll(async () => {
  await server.stop();
});

it("answers a batch in JSON item by item, with the details of those that it refused", async () => {
  const spec = { script: { source: "export default () => 1" } };
  const answer = await fetch(`${server.publicUrl}/millrace.v1.JobService/SubmitJobs`, {
    method: "POST",
    headers: {
      authorization: `Bearer ${server.admin.token}`,
      "content-type": "application/json",
    },
    body: JSON.stringify({ requests: [{ spec }, { spec: { ...spec, priority: 5_000 } }] }),
  });
  expect(answer.status).toBe(200);
  expect(await answer.json()).toMatchObject({
    outcomes: [
      { submitted: { created: true } },
      { error: { details: [{ reason: "INVALID_ARGUMENT" }, { fieldViolations: [{}] }] } },
    ],
  });
});

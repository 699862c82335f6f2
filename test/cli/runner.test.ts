import { expect, test } from "vitest";

import { runCliHere } from "../support/cli-here.ts";
import { silentServer } from "../support/silent-server.ts";

test("a runner that waits for a server ends in order when it is told to", async () => {
  const server = await silentServer();
  const environment = {
    MILLRACE_INTERNAL_URL: server.url,
    MILLRACE_RUNNER_TOKEN: "mr_any",
    MILLRACE_RUNNER_DRAIN_SECONDS: "0",
    MILLRACE_LOG_LEVEL: "error",
  };
  server.heard.addEventListener("abort", server.stop);
  const run = await runCliHere(["runner"], environment, server.heard);
  expect(run).toMatchObject({ code: 0, stderr: "" });
});

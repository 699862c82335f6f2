import { expect, it } from "vitest";

import { NO_EGRESS } from "../../runner/egress/egress.ts";
import { handlerExecutors } from "../../runner/executors/handlers.ts";
import { scriptExecutor } from "../../runner/executors/script.ts";
import type { Handler } from "../../runner/handler.ts";
import { createLibraries } from "../../runner/libraries/libraries.ts";
import type { Scripts } from "../../runner/scripts.ts";
import { type Assignment, silentReport, unmeasured } from "../../runner/executor.ts";
import { HANDLER_OPTIONS } from "../support/runner-under-test.ts";

const SECRET = "mrj_secret";

const assignment: Assignment = {
  ref: { organizationId: "acme", jobId: "job", attempt: 1, leaseToken: "lease" },
  capability: "handler:work",
  scriptHash: "hash",
  input: "null",
  attemptTimeoutMs: 1_000,
  type: "work",
  typeVersion: 1,
  creatorId: "ada",
  runAs: "bob",
  labels: {},
  traceparent: "",
  jobToken: SECRET,
};
const { signal } = new AbortController();

it("a handler gets the job's own token", async () => {
  let seen = "";
  const execute: Handler["execute"] = (_job, ctx) => {
    seen = ctx.jobToken;
  };
  const executors = handlerExecutors({ work: { execute } }, HANDLER_OPTIONS);
  await executors.get("handler:work")?.execute(assignment, silentReport, signal);
  expect(seen).toBe(SECRET);
});

it("nothing of it goes to the sandbox of a script", async () => {
  let handed: unknown;
  const supervisor: Parameters<typeof scriptExecutor>[0] = {
    run: async (task) => {
      handed = task;
      return await Promise.resolve({ kind: "succeeded", result: "1", ...unmeasured });
    },
  };
  const scripts: Scripts = {
    get: async () => await Promise.resolve({ code: "", fileName: "script.js" }),
    ofType: async () => await Promise.reject(new Error("nothing is imported")),
  };
  const executor = scriptExecutor(supervisor, {
    scripts,
    libraries: createLibraries(),
    openEgress: () => NO_EGRESS,
  });
  await executor.execute(assignment, silentReport, signal);
  expect(handed).toMatchObject({ jobId: "job" });
  const text = JSON.stringify(handed);
  expect(text).not.toContain(SECRET);
  expect(text).not.toContain("lease");
});

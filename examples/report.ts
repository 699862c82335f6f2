/**
 * `npm run report`: the report of the demo as a workflow of four steps, written in TypeScript
 * (examples/report/workflow.ts), drawn in the terminal while it runs. Then the last step fails, and
 * a retry does that step again, and no other.
 */
import assert from "node:assert/strict";
import { mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import path from "node:path";

import pc from "picocolors";
import { v7 } from "uuid";

import { createRunner } from "../runner/index.ts";
import { type Environment, show, startMillrace, stopMillrace } from "./demo/millrace.ts";
import { type Desk, exportReport, fetchQuotes, notifyDesk } from "./report/handlers.ts";
import { reportOf } from "./report/workflow.ts";

const heading = (text: string): void => {
  console.log(`\n${pc.bold(text)}`);
};

/** How often each handler was called. */
const done: Record<string, number> = {};

/** The handlers, in this process. */
const startApplication = async (folder: string, desk: Desk) => {
  const credentials = await readFile(path.join(folder, "credentials.json"), "utf8");
  const { internalUrl, runnerToken } = JSON.parse(credentials) as {
    readonly internalUrl: string;
    readonly runnerToken: string;
  };
  const runner = createRunner({
    url: internalUrl,
    credential: runnerToken,
    handlers: {
      "quotes.fetch": fetchQuotes,
      "report.export": exportReport(path.join(folder, "reports")),
      "desk.notify": notifyDesk(desk),
    },
    onAttemptEnd: ({ handler }) => {
      done[handler] = (done[handler] ?? 0) + 1;
    },
  });
  await runner.start({ signal: AbortSignal.timeout(30_000) });
  return runner;
};

const showReport = async (env: Environment, file: string): Promise<void> => {
  heading("Fetch, transform, export, notify: each step takes what earlier ones came to");
  const submit = ["workflow", "submit", file, "--watch"];
  assert.equal(await show(env, ...submit), 0, "the workflow succeeds");
};

const showRetry = async (env: Environment, file: string, desk: Desk): Promise<void> => {
  heading("Nobody is at the desk: the last step fails");
  desk.isOpen = false;
  const id = v7();
  const submit = ["workflow", "submit", file, "--workflow-id", id, "--watch"];
  assert.equal(await show(env, ...submit), 1, "the workflow fails");

  heading("Somebody is there again: that step is done anew, the others keep their results");
  desk.isOpen = true;
  assert.equal(await show(env, "workflow", "retry", id), 0);
  assert.equal(await show(env, "workflow", "watch", id), 0, "the workflow succeeds");
  assert.deepEqual(done, { "quotes.fetch": 2, "report.export": 2, "desk.notify": 3 });
};

const folder = await mkdtemp(path.join(tmpdir(), "millrace-report-"));
const env: Environment = {
  ...process.env,
  MILLRACE_DATA_DIR: folder,
  MILLRACE_METRICS_LISTEN: "off",
};
const desk: Desk = { isOpen: true };
// Ctrl-C reaches the children by itself; this process stays to clean up after them.
process.on("SIGINT", () => {});

heading("A server and a runner on SQLite, in a temporary folder");
try {
  const millrace = await startMillrace(env, "--port", "0", "--internal-port", "0");
  try {
    assert.equal(await show(env, "types", "apply", "examples/report/types"), 0);
    const application = await startApplication(folder, desk);
    try {
      const file = path.join(folder, "report.json");
      await writeFile(file, JSON.stringify(reportOf(2026).file, null, 2));
      await showReport(env, file);
      const report = await readFile(path.join(folder, "reports", "quotes-2026.txt"), "utf8");
      console.log(`\n${report.split("\n").slice(0, 3).join("\n")}`);
      assert.match(report, /^35717 quotes worth 30 711 174\.73; 7 rows could not be read\.$/m);
      await showRetry(env, file, desk);
    } finally {
      await application.stop();
    }
  } finally {
    assert.equal(await stopMillrace(millrace), 0, "server and runner stop cleanly");
  }
  console.log(pc.green("\nAll of it happened."));
} catch (caught) {
  console.error(
    pc.red(`\nThe example failed: ${caught instanceof Error ? caught.message : String(caught)}`),
  );
  process.exitCode = 1;
} finally {
  await rm(folder, { recursive: true, force: true });
}

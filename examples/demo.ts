/**
 * `npm run demo`: a server and a runner on a temporary folder, a real job followed live through the
 * gRPC listener, a script that has to be killed, and the proof that nothing else was harmed by it.
 * Everything goes through the command line, so each step can be repeated by hand.
 */
import assert from "node:assert/strict";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import path from "node:path";

import pc from "picocolors";
import { v7 } from "uuid";

import { type Environment, run, show, startMillrace, stopMillrace } from "./demo/millrace.ts";

const heading = (text: string): void => {
  console.log(`\n${pc.bold(text)}`);
};

const QUOTES = "examples/data/quotes.csv";
const REPORT = "examples/scripts/export-report.ts";
const HELLO = "examples/scripts/hello.ts";
const LOOP = "examples/scripts/loop.ts";

/** 50,000 quotes go in, a report comes out. */
const showReport = async (env: Environment): Promise<void> => {
  heading("A report over 50,000 quotes, in six steps");
  const jobId = v7();
  const input = ["--input", '{"year": 2026}', "--input-file", `quotes=${QUOTES}`];
  const submitted = ["job", "submit", "--script", REPORT, ...input, "--job-id", jobId, "--watch"];
  assert.equal(await show(env, ...submitted), 0, "the report succeeds");
  const { printed } = await run(env, "job", "result", jobId, "--field", "report");
  assert.match(printed, /^35717 quotes worth 30 711 174\.73; 7 rows could not be read\.$/m);
};

/** A job that loops for ever holds its own process, and nobody else. */
const showKill = async (env: Environment): Promise<void> => {
  heading("A script that never ends, beside one that does");
  const jobId = v7();
  const once = ["--max-retries", "0"];
  assert.equal(await show(env, "job", "submit", "--script", LOOP, "--job-id", jobId, ...once), 0);
  const beside = ["job", "submit", "--script", HELLO, "--input", '{"name": "neighbour"}', "--wait"];
  assert.equal(await show(env, ...beside), 0, "another job runs while the first one loops");
  const { code, printed } = await run(env, "job", "wait", jobId);
  assert.equal(code, 1, "the loop fails");
  assert.match(printed, /timeout\.cpu/, "it is killed for the CPU time that it took");
};

const showUnharmed = async (env: Environment): Promise<void> => {
  heading("The server, unharmed");
  assert.equal(await show(env, "healthcheck"), 0, "the server serves");
  const after = ["job", "submit", "--script", HELLO, "--input", '{"name": "again"}', "--wait"];
  assert.equal(await show(env, ...after), 0, "jobs run as before");
};

const start = performance.now();
const folder = await mkdtemp(path.join(tmpdir(), "millrace-demo-"));
const env: Environment = {
  ...process.env,
  MILLRACE_DATA_DIR: folder,
  MILLRACE_METRICS_LISTEN: "off",
  // The default is 5 s: nobody wants to wait so long for the end of a demo.
  MILLRACE_SCRIPT_CPU_SECONDS: "2",
};
// Ctrl-C reaches the children by itself; this process stays to clean up after them.
process.on("SIGINT", () => {});

heading("A server and a runner on SQLite, in a temporary folder");
try {
  const millrace = await startMillrace(env, "--port", "0", "--internal-port", "0");
  try {
    await showReport(env);
    await showKill(env);
    await showUnharmed(env);
  } finally {
    const code = await stopMillrace(millrace);
    assert.equal(code, 0, "server and runner stop cleanly");
  }
  const seconds = ((performance.now() - start) / 1_000).toFixed(1);
  console.log(
    pc.green(`\nAll of it happened, in ${seconds} s. \`bin/millrace dev\` is yours now.`),
  );
} catch (caught) {
  console.error(
    pc.red(`\nThe demo failed: ${caught instanceof Error ? caught.message : String(caught)}`),
  );
  process.exitCode = 1;
} finally {
  await rm(folder, { recursive: true, force: true });
}

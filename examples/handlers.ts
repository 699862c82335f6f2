/**
 * `node examples/handlers.ts`: a server, the application of examples/handlers/ with its two handlers,
 * their job types, and jobs for them. Everything goes through the command line, so each step can
 * be repeated by hand.
 */
import assert from "node:assert/strict";
import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtemp, readFile, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import path from "node:path";
import { createInterface } from "node:readline";

import pc from "picocolors";

import { type Environment, run, show, startMillrace, stopMillrace } from "./demo/millrace.ts";

const heading = (text: string): void => {
  console.log(`\n${pc.bold(text)}`);
};

const startApplication = async (env: Environment): Promise<ChildProcess> => {
  const file = path.join(env["MILLRACE_DATA_DIR"] ?? "", "credentials.json");
  const { internalUrl, runnerToken } = JSON.parse(await readFile(file, "utf8")) as {
    readonly internalUrl: string;
    readonly runnerToken: string;
  };
  const program = path.join(import.meta.dirname, "handlers", "application.ts");
  const application = spawn(process.execPath, [program], {
    env: {
      ...process.env,
      MILLRACE_INTERNAL_URL: internalUrl,
      MILLRACE_RUNNER_TOKEN: runnerToken,
    },
    stdio: ["ignore", "pipe", "inherit"],
  });
  const lines = createInterface({ input: application.stdout });
  lines.on("line", (line) => {
    console.log(line);
  });
  await Promise.race([
    once(lines, "line"),
    once(application, "exit").then(() => assert.fail("the application did not start")),
  ]);
  return application;
};

const showInvoice = async (env: Environment): Promise<void> => {
  heading("An invoice, in three steps");
  const lines = [
    { article: "Millstone, French burr", count: 2, cents: 48_000 },
    { article: "Oak shaft", count: 1, cents: 9_950 },
    { article: "Flour sacks", count: 120, cents: 85 },
  ];
  const input = JSON.stringify({ number: "AC-17", customer: "Acme Mills", lines });
  const submit = ["job", "submit", "--type", "invoice.render", "--input", input, "--watch"];
  assert.equal(await show(env, ...submit), 0, "the invoice is rendered");
};

const showMail = async (env: Environment): Promise<void> => {
  heading("A mail: the archive is busy at first, and the retry sends no second one");
  const input = (to: string) => JSON.stringify({ to, subject: "Your invoice" });
  const submit = ["job", "submit", "--type", "mail.send", "--wait", "--input"];
  const { printed } = await run(env, ...submit, input("ada@example.com"));
  assert.match(printed, /"sent": ?1\b/, "one mail has left");

  heading("A recipient that does not exist: no other attempt can help");
  const rejected = await run(env, ...submit, input("nobody@example.org"));
  assert.equal(rejected.code, 1, "the job fails");

  heading("An input that does not fit the handler's schema");
  assert.equal((await run(env, ...submit, input("no address"))).code, 1, "it is not tried at all");
};

const folder = await mkdtemp(path.join(tmpdir(), "millrace-handlers-"));
const env: Environment = {
  ...process.env,
  MILLRACE_DATA_DIR: folder,
  MILLRACE_METRICS_LISTEN: "off",
};
// Ctrl-C reaches the children by itself; this process stays to clean up after them.
process.on("SIGINT", () => {});

heading("A server on SQLite, in a temporary folder");
try {
  const millrace = await startMillrace(env, "--port", "0", "--internal-port", "0");
  try {
    assert.equal(await show(env, "types", "apply", "examples/handlers/types"), 0);
    heading("The application");
    const application = await startApplication(env);
    try {
      await showInvoice(env);
      await showMail(env);
    } finally {
      const exited = once(application, "exit");
      application.kill("SIGTERM");
      assert.deepEqual(await exited, [0, null], "the application drains and ends");
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

/**
 * `node examples/upstream.ts`: a script calls another layer of the system as the operational user.
 * Three programs run: a server, a runner with a configuration file, and the other layer, which checks
 * the token that it is given by asking the server. The script never sees that token.
 */
import assert from "node:assert/strict";
import { mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import path from "node:path";

import pc from "picocolors";

import { type Environment, run, startMillrace, stopMillrace } from "./demo/millrace.ts";
import { type Documents, startDocuments } from "./upstream/documents.ts";

const heading = (text: string): void => {
  console.log(`\n${pc.bold(text)}`);
};

const DOCUMENTS = "examples/scripts/documents.ts";
const ELSEWHERE = "examples/scripts/elsewhere.ts";
const TOKEN_SET = "examples/upstream/token-set.yaml";
const CONFIG = path.join(import.meta.dirname, "upstream", "runner.yaml");

const showUsers = async (env: Environment): Promise<void> => {
  heading("A script writes for its own user, and for another one: each has his own documents");
  const bob = (await run(env, "user", "create", "bob")).printed.trim();
  const write = async (title: string, ...more: readonly string[]): Promise<string> => {
    const input = ["--input", JSON.stringify({ title })];
    const submit = ["job", "submit", "--script", DOCUMENTS, ...input, "--wait", ...more];
    const { code, printed } = await run(env, ...submit);
    assert.equal(code, 0, "the job succeeds");
    return printed;
  };
  assert.match(await write("Budget"), /"titles":\s*\[\s*"Budget"\s*\]/);
  assert.match(await write("Minutes", "--run-as", bob), /"titles":\s*\[\s*"Minutes"\s*\]/);
  assert.match(await write("Budget, again"), /"Budget",\s*"Budget, again"/);
};

const showCalls = async (env: Environment): Promise<void> => {
  heading("Several calls in a row: a token is made, and its id goes into two sets");
  const { code, printed } = await run(env, "workflow", "submit", TOKEN_SET, "--watch");
  assert.equal(code, 0, "the workflow succeeds");
  assert.match(printed, /^3 ● tell/m, "the last step waits for both");
};

const showRefusal = async (env: Environment): Promise<void> => {
  heading("Nothing else is reached");
  const { code, printed } = await run(env, "job", "submit", "--script", ELSEWHERE, "--wait");
  assert.equal(code, 0, "the script catches what fetch throws");
  assert.equal(printed.match(/not among the origins/g)?.length, 2);
};

const showDeadToken = async (documents: Documents): Promise<void> => {
  heading("The token of a job that has ended");
  const authorization = `Bearer ${documents.lastToken()}`;
  const { status } = await fetch(`${documents.url}documents`, { headers: { authorization } });
  console.log(`The documents answer ${status}.`);
  assert.equal(status, 401);
};

const folder = await mkdtemp(path.join(tmpdir(), "millrace-upstream-"));
const settings = path.join(folder, "runner.yaml");
const env: Environment = {
  ...process.env,
  MILLRACE_DATA_DIR: folder,
  MILLRACE_METRICS_LISTEN: "off",
  MILLRACE_RUNNER_CONFIG: settings,
};
// Ctrl-C reaches the children by itself; this process stays to clean up after them.
process.on("SIGINT", () => {});

let millraceUrl = "";
const documents = await startDocuments(() => millraceUrl);
try {
  heading("A configuration file for the runner");
  const configuration = (await readFile(CONFIG, "utf8")).replace(/http:\S+/, documents.url);
  await writeFile(settings, configuration);
  console.log(configuration);
  const millrace = await startMillrace(env, "--port", "0", "--internal-port", "0");
  try {
    const credentials = await readFile(path.join(folder, "credentials.json"), "utf8");
    millraceUrl = (JSON.parse(credentials) as { readonly url: string }).url;
    await showUsers(env);
    await showCalls(env);
    await showRefusal(env);
    await showDeadToken(documents);
  } finally {
    assert.equal(await stopMillrace(millrace), 0, "server and runner stop cleanly");
  }
  console.log(pc.green("\nThe other layer knew the user, and the script never had a token."));
} catch (caught) {
  console.error(
    pc.red(`\nThe example failed: ${caught instanceof Error ? caught.message : String(caught)}`),
  );
  process.exitCode = 1;
} finally {
  await documents.close();
  await rm(folder, { recursive: true, force: true });
}

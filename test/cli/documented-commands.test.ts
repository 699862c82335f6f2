import { execFile } from "node:child_process";
import { mkdtemp, readFile, rm, symlink } from "node:fs/promises";
import { tmpdir } from "node:os";
import path from "node:path";
import { promisify } from "node:util";

import { afterAll, beforeAll, expect, test } from "vitest";

import { LAUNCHER } from "../support/cli.ts";
import { type DevHere, startDevHere } from "../support/dev-here.ts";

const ROOT = path.resolve(import.meta.dirname, "../..");
const run = promisify(execFile);

let dev: DevHere;
let bin: string;

beforeAll(async () => {
  bin = await mkdtemp(path.join(tmpdir(), "millrace-bin-"));
  await symlink(LAUNCHER, path.join(bin, "millrace"));
  dev = await startDevHere();
});

afterAll(async () => {
  await dev.stop();
  await rm(bin, { recursive: true, force: true });
});

/** The first block of commands on a page. */
const commandsOf = async (page: string): Promise<string> => {
  const text = await readFile(path.join(ROOT, page), "utf8");
  const block = /```sh\n([^`]*)```/.exec(text)?.[1];
  if (block === undefined) throw new Error(`${page} has no commands`);
  return block;
};

const outputOf = async (page: string): Promise<string> => {
  const script = `set -euo pipefail\n${await commandsOf(page)}`;
  const env = { PATH: `${bin}:/usr/local/bin:/usr/bin:/bin`, MILLRACE_DATA_DIR: dev.dataDir };
  const { stdout } = await run("bash", ["-c", script], { cwd: ROOT, env });
  return stdout;
};

test("the commands of docs/approval.md hold a job, release it and tell who did", async () => {
  const stdout = await outputOf("docs/approval.md");
  const [before = "", after = ""] = stdout.split(/^Job \S+ is released\.$/m);
  expect(before).toMatch(/^deferred-action=true is set\.$/m);
  expect(before.match(/HELD/g)).toHaveLength(2);
  expect(after).not.toContain("HELD");
  expect(after.indexOf("job.release")).toBeGreaterThan(0);
  expect(after.indexOf("job.submit")).toBeGreaterThan(after.indexOf("job.release"));

  const [id = ""] = /[0-9a-f-]{36}(?= +HELD)/.exec(before) ?? [];
  const job = JSON.parse((await dev.cli(["job", "get", id, "--output", "json"])).stdout) as {
    readonly state: string;
    readonly runAs: string;
  };
  expect(job.state).toBe("JOB_STATE_SUCCEEDED");
  const again = await dev.cli(["job", "release", id]);
  expect(again).toMatchObject({ code: 5, stdout: "" });
  expect(again.stderr).toContain("SUCCEEDED, not HELD");
  const left = await dev.cli(["user", "attributes", job.runAs]);
  expect(left.stdout).not.toContain("release-job");
});

test("the commands of the README make a user, types, a schedule, an approval and another tenant", async () => {
  const stdout = await outputOf("README.md");
  for (const said of [
    /^created greet, version 1$/m,
    /^Hello, Ada!$/m,
    /^schedule +nightly$/m,
    /^Job \S+ is released\.$/m,
    / job\.release /,
    / user\.create /,
  ]) {
    expect(stdout).toMatch(said);
  }
  expect((await dev.cli(["organization", "list"])).stdout).toMatch(/ acme +20 /);
});

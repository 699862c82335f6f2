import { execFile } from "node:child_process";
import { mkdir, readFile, symlink } from "node:fs/promises";
import path from "node:path";
import { promisify } from "node:util";

import { afterAll, beforeAll, describe, expect, test } from "vitest";

import { LAUNCHER } from "../support/cli.ts";
import { type DevHere, startDevHere } from "../support/dev-here.ts";

const ROOT = path.resolve(import.meta.dirname, "../..");
const run = promisify(execFile);

let dev: DevHere;

beforeAll(async () => {
  dev = await startDevHere();
});

afterAll(async () => {
  await dev.stop();
});

const call = async (method: string, request: object): Promise<Answer> => {
  const response = await fetch(`${dev.url}/millrace.v1.JobService/${method}`, {
    method: "POST",
    headers: { "content-type": "application/json", authorization: `Bearer ${dev.token}` },
    body: JSON.stringify(request),
  });
  return (await response.json()) as Answer;
};
type Answer = {
  readonly job: { readonly id: string; readonly state: string };
  readonly revision: string;
};

/** A job that runs until somebody ends it. */
const start = async (): Promise<string> => {
  const source =
    "export default async (_, ctx) => { ctx.progress(0.1); for (;;) await ctx.sleep(1000); };";
  const { job } = await call("SubmitJob", { spec: { script: { source } } });
  let [state, revision] = [job.state, "1"];
  while (state !== "JOB_STATE_RUNNING") {
    const answer = await call("WaitJob", { jobId: job.id, revision });
    ({ revision } = answer);
    ({ state } = answer.job);
  }
  return job.id;
};

describe("millrace job update", () => {
  test("tells progress and a row of the log, then ends the job with a result", async () => {
    const job = await start();
    const half = ["--progress", "0.5", "--step", "1/2", "--message", "half", "--log", "a row"];
    const told = await dev.cli(["job", "update", job, ...half]);
    expect(told).toMatchObject({
      code: 0,
      stdout: `Job ${job} is RUNNING, 50 %  step 1/2  half.\n`,
    });
    const ended = await dev.cli(["job", "update", job, "--succeed", '{"pages": 12}']);
    expect(ended.stdout).toMatch(new RegExp(`^Job ${job} succeeded`));
    expect((await dev.cli(["job", "result", job])).stdout).toBe('{\n  "pages": 12\n}\n');
    expect((await dev.cli(["job", "output", job])).stdout).toContain("a row");
  });

  test("fails it with a code, and refuses to report on what has ended", async () => {
    const job = await start();
    const fail = ["--fail", "printer.jammed", "--message", "no paper", "--no-retry"];
    const failed = await dev.cli(["job", "update", job, ...fail, "--output", "json"]);
    expect(JSON.parse(failed.stdout)).toMatchObject({
      job: {
        state: "JOB_STATE_FAILED",
        error: { code: "printer.jammed", message: "no paper" },
      },
    });
    const again = await dev.cli(["job", "update", job, "--progress", "1"]);
    expect(again).toMatchObject({ code: 5, stderr: expect.stringContaining("it is FAILED") });
  });

  test.each([
    [["--progress", "2"], /0 to 1/],
    [["--step", "two"], /2\/6/],
    [["--succeed", "1", "--cancelled"], /Only one of/],
    [["--succeed", "{"], /--succeed: the text is not JSON/],
  ])("refuses %j", async (args, words) => {
    const run = await dev.cli(["job", "update", "x", ...args]);
    expect(run).toMatchObject({ code: 2, stderr: expect.stringMatching(words) });
  });
});

// A dozen processes: see test/cli/documented-commands.test.ts.
test("the commands of docs/external-jobs.md make a type, submit a job of it and report on it", async () => {
  const page = await readFile(path.join(ROOT, "docs/external-jobs.md"), "utf8");
  const commands = /```sh\n([^`]*)```/.exec(page)?.[1] ?? "";
  const bin = path.join(dev.dataDir, "bin");
  await mkdir(bin);
  await symlink(LAUNCHER, path.join(bin, "millrace"));
  const env = {
    PATH: `${bin}:/usr/local/bin:/usr/bin:/bin`,
    MILLRACE_DATA_DIR: dev.dataDir,
  };
  const { stdout } = await run("bash", ["-c", `set -euo pipefail\n${commands}`], {
    cwd: ROOT,
    env,
  });
  expect(stdout).toMatch(/RUNNING/);
  expect(stdout).toMatch(/is RUNNING, 50 % {2}half of it\.$/m);
  expect(stdout).toMatch(/^Job \S+ succeeded/m);
  expect(stdout).toContain('"approved": true');
  expect(stdout).toContain("seen by Ada");
  expect(stdout).toContain("job.update");
});

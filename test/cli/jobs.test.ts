import { spawn } from "node:child_process";
import { once } from "node:events";
import { writeFile } from "node:fs/promises";
import path from "node:path";
import { createInterface } from "node:readline";
import { text } from "node:stream/consumers";

import { afterAll, beforeAll, describe, expect, test } from "vitest";

import { LAUNCHER } from "../support/cli.ts";
import { startCuttingProxy } from "../support/cutting-proxy.ts";
import { type DevHere, startDevHere } from "../support/dev-here.ts";
import { eventually } from "../support/eventually.ts";

let dev: DevHere;

beforeAll(async () => {
  dev = await startDevHere();
});

afterAll(async () => {
  await dev.stop();
});

/** A script in a file of the data directory. */
const script = async (name: string, source: string): Promise<string> => {
  const file = path.join(dev.dataDir, name);
  await writeFile(file, source);
  return file;
};

const double = async (): Promise<string> =>
  await script("double.ts", "export default (input: number): number => input * 2;");

/** Waits until it is cancelled. */
const endless = async (): Promise<string> =>
  await script(
    "endless.js",
    "export default async (_, ctx) => { for (;;) await ctx.sleep(1000); };",
  );

const submit = async (...args: readonly string[]): Promise<string> => {
  const run = await dev.cli(["job", "submit", ...args]);
  expect(run).toMatchObject({ code: 0 });
  return run.stdout.trim();
};

const parsed = (json: string): unknown => JSON.parse(json);

describe("submitting", () => {
  test("prints the id, and the job can be waited for, shown and asked for its result", async () => {
    const job = await submit("--script", await double(), "--input", "21", "--name", "twice");
    expect(job).toMatch(/^[0-9a-f-]{36}$/);
    expect(await dev.cli(["job", "wait", job])).toMatchObject({ code: 0 });
    const shown = await dev.cli(["job", "get", job, "--output", "json"]);
    expect(parsed(shown.stdout)).toMatchObject({
      id: job,
      state: "JOB_STATE_SUCCEEDED",
      name: "twice",
    });
    expect(await dev.cli(["job", "result", job])).toMatchObject({ code: 0, stdout: "42\n" });
    const attempts = await dev.cli(["job", "attempts", job]);
    expect(attempts.stdout).toMatch(/^ATTEMPT.*\n1 +SUCCEEDED/);
  });

  test("takes script and input from standard input", async () => {
    const source = "export default (input) => input ?? 'nothing';";
    const args = ["job", "submit", "--script", "-", "--wait"];
    expect(await dev.cli(args, { input: source })).toMatchObject({ code: 0, stdout: "nothing\n" });
    const piped = ["job", "submit", "--script", await double(), "--input", "-", "--wait"];
    expect(await dev.cli(piped, { input: "4" })).toMatchObject({ code: 0, stdout: "8\n" });
  });

  test("with --wait prints the result, as text or as JSON", async () => {
    const file = await script("echo.js", "export default (input) => input;");
    const input = await script("text.txt", "line one\nline two\n");
    const args = [
      "job",
      "submit",
      "--script",
      file,
      "--input",
      '{"a": 1}',
      "--input-file",
      `b=${input}`,
    ];
    const run = await dev.cli([...args, "--wait", "--output", "json"]);
    expect(run.code).toBe(0);
    expect(parsed(run.stdout)).toMatchObject({
      job: { state: "JOB_STATE_SUCCEEDED" },
      created: true,
      result: { a: 1, b: "line one\nline two\n" },
    });
  });

  test("of a script that throws ends with 1 and the author's error", async () => {
    const file = await script(
      "throws.js",
      "export default () => { throw new Error('no such month'); };",
    );
    const run = await dev.cli(["job", "submit", "--script", file, "--max-retries", "0", "--wait"]);
    expect(run).toMatchObject({ code: 1, stdout: "" });
    expect(run.stderr).toContain("script.threw: no such month");
  });

  test("twice with the same request id makes one job; other content is refused with 5", async () => {
    const args = ["--script", await double(), "--request-id", "invoice-4711", "--input"];
    const first = await submit(...args, "1");
    expect(await submit(...args, "1")).toBe(first);
    const other = await dev.cli(["job", "submit", ...args, "2"]);
    expect(other.code).toBe(5);
    expect(other.stderr).toContain("Use another --request-id");
  });

  test("of what the server finds wrong ends with 2 and names the field", async () => {
    const run = await dev.cli(["job", "submit", "--script", await double(), "--priority", "1000"]);
    expect(run.code).toBe(2);
    expect(run.stderr).toMatch(/^ {2}spec\.priority: .*100/m);
    const json = await dev.cli([
      "job",
      "submit",
      "--script",
      await double(),
      "--priority",
      "1000",
      "-o",
      "json",
    ]);
    expect(parsed(json.stderr)).toMatchObject({
      error: { reason: "INVALID_ARGUMENT", faults: [{ field: "spec.priority" }] },
    });
  });

  test("with --validate-only creates nothing", async () => {
    const label = ["--label", "only=validated"];
    const run = await dev.cli([
      "job",
      "submit",
      "--script",
      await double(),
      "--validate-only",
      ...label,
    ]);
    expect(run).toMatchObject({ code: 0 });
    const list = await dev.cli(["job", "list", ...label, "--total", "--output", "json"]);
    expect(parsed(list.stdout)).toMatchObject({ jobs: [], total: "0" });
  });
});

describe("watching", () => {
  test("as JSON is a line for each change, to the end", async () => {
    const file = await script(
      "steps.js",
      "export default async (_, ctx) => { for (const step of [1, 2]) { console.log('at', step); ctx.progress({ step, steps: 2 }); await ctx.sleep(60); } };",
    );
    const run = await dev.cli(["job", "submit", "--script", file, "--watch", "--output", "json"]);
    expect(run).toMatchObject({ code: 0, stderr: "" });
    const lines = run.stdout.trim().split("\n").map(parsed) as {
      readonly job?: { readonly state: string };
      readonly output: readonly { readonly text: string }[];
    }[];
    expect(lines.at(-1)).toMatchObject({ job: { state: "JOB_STATE_SUCCEEDED" } });
    expect(lines.flatMap((line) => line.output.map((row) => row.text))).toEqual(["at 1", "at 2"]);
  });

  test("goes on through cut connections, and shows every row once", async () => {
    const proxy = await startCuttingProxy(dev.url);
    const file = await script(
      "counting.js",
      "export default async (_, ctx) => { for (let row = 0; row < 30; row += 1) { console.log(row); await ctx.sleep(40); } await new Promise(() => {}); };",
    );
    const job = await submit("--script", file);
    const child = spawn(LAUNCHER, ["job", "watch", job, "--url", proxy.url, "--token", dev.token], {
      stdio: ["ignore", "pipe", "pipe"],
    });
    const rows: string[] = [];
    createInterface({ input: child.stdout }).on("line", (line) => {
      rows.push(line);
      // The second cut may come before the first one was noticed: on a busy machine rows arrive in heaps.
      if (line === "5" || line === "15") proxy.cut();
    });
    const [told, closed] = [text(child.stderr), once(child, "close")];
    await eventually(() => expect(rows).toContain("29"));
    // This has to be heard of over a connection that was made after the cuts.
    await dev.cli(["job", "update", job, "--succeed", "null"]);
    expect(await closed).toEqual([0, null]);
    await proxy.close();
    expect(rows).toEqual(Array.from({ length: 30 }, (_, row) => String(row)));
    expect(await told).toContain("The connection broke");
  });

  test("stopped by Ctrl-C ends with 130, and the job goes on", async () => {
    const job = await submit("--script", await endless());
    const child = spawn(LAUNCHER, ["job", "watch", job, "--data-dir", dev.dataDir], {
      stdio: ["ignore", "ignore", "pipe"],
    });
    const lines = createInterface({ input: child.stderr });
    const said: string[] = [];
    lines.on("line", (line) => {
      said.push(line);
      if (line.startsWith("RUNNING")) child.kill("SIGINT");
    });
    const [code] = await once(child, "close");
    expect(code).toBe(130);
    expect(said.at(-1)).toContain("The job goes on");
    const shown = await dev.cli(["job", "get", job, "--output", "json"]);
    expect(parsed(shown.stdout)).toMatchObject({ state: "JOB_STATE_RUNNING" });
    await dev.cli(["job", "cancel", job]);
  });
});

describe("cancelling", () => {
  test("a running job: who waits for it learns it by 3", async () => {
    const job = await submit("--script", await endless());
    const waiting = dev.cli(["job", "wait", job]);
    const cancelled = await dev.cli(["job", "cancel", job, "--reason", "wrong month"]);
    expect(cancelled.code).toBe(0);
    expect(await waiting).toMatchObject({ code: 3 });
    expect((await dev.cli(["job", "get", job])).stdout).toContain("wrong month");
  });

  test("a job that has ended is refused with 5 and the reason", async () => {
    const job = await submit("--script", await double(), "--run-at", "+1h");
    expect(await dev.cli(["job", "cancel", job])).toMatchObject({ code: 0 });
    const again = await dev.cli(["job", "cancel", job, "--output", "json"]);
    expect(again.code).toBe(5);
    expect(parsed(again.stderr)).toMatchObject({ error: { reason: "JOB_NOT_CANCELLABLE" } });
  });
});

describe("asking", () => {
  test("for a result too early is refused with 5 and a next step", async () => {
    const job = await submit("--script", await double(), "--run-at", "+1h");
    const run = await dev.cli(["job", "result", job]);
    expect(run.code).toBe(5);
    expect(run.stderr).toContain("millrace job wait");
  });

  test("for a job that is not there is refused with 5", async () => {
    const run = await dev.cli(["job", "get", "01980d2e-5f00-7000-8000-000000000001"]);
    expect(run.code).toBe(5);
    expect(run.stderr).toContain("There is no job 01980d2e-5f00-7000-8000-000000000001");
  });

  test("for output gives the rows wanted, over several pages", async () => {
    const file = await script(
      "rows.js",
      "export default () => { for (let row = 0; row < 1500; row += 1) console.log(`row ${row}`); };",
    );
    const job = await submit("--script", file);
    await dev.cli(["job", "wait", job]);
    const all = await dev.cli(["job", "output", job]);
    expect(all.stdout.trim().split("\n")).toHaveLength(1_500);
    const some = await dev.cli([
      "job",
      "output",
      job,
      "--offset",
      "10",
      "--limit",
      "2",
      "-o",
      "json",
    ]);
    expect(some.stdout.trim().split("\n").map(parsed)).toMatchObject([
      { text: "row 10" },
      { text: "row 11" },
    ]);
  });

  test("for a list by state and label finds the jobs, newest first, page by page", async () => {
    const label = ["--label", "suite=list"];
    const ids: string[] = [];
    for (let count = 0; count < 3; count += 1) {
      ids.unshift(await submit("--script", await double(), "--run-at", "+1h", ...label));
    }
    const args = ["job", "list", "--state", "scheduled", ...label, "--output", "json"];
    const first = await dev.cli([...args, "--limit", "2", "--total"]);
    const page = parsed(first.stdout) as { jobs: { id: string }[]; nextPageToken: string };
    expect(page).toMatchObject({ jobs: [{ id: ids[0] }, { id: ids[1] }], total: "3" });
    const second = await dev.cli([...args, "--limit", "2", "--page-token", page.nextPageToken]);
    expect(parsed(second.stdout)).toMatchObject({ jobs: [{ id: ids[2] }], nextPageToken: "" });
  });

  test("with a token that nobody knows ends with 4", async () => {
    const run = await dev.cli(["job", "list", "--token", `${dev.token.slice(0, -1)}!`]);
    expect(run.code).toBe(4);
    expect(run.stderr).toContain("millrace token create");
  });

  test("whether the server serves", async () => {
    const run = await dev.cli(["healthcheck", "--service", "millrace.v1.JobService", "-o", "json"]);
    expect(run.code).toBe(0);
    expect(parsed(run.stdout)).toEqual({ url: dev.url, status: "SERVING" });
  });
});

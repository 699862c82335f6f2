import { afterAll, beforeAll, expect, test } from "vitest";

import { type DevHere, startDevHere } from "../support/dev-here.ts";

let dev: DevHere;

beforeAll(async () => {
  dev = await startDevHere();
});

afterAll(async () => {
  await dev.stop();
});

const run = async (...args: readonly string[]): Promise<string> => {
  const { code, stdout, stderr } = await dev.cli(["hook", ...args]);
  expect({ code, stderr }).toMatchObject({ code: 0 });
  return stdout.trim();
};

test("a hook is made, shown, tested, paused, changed and deleted", async () => {
  const jobs = ["--state", "failed", "--type", "a", "--type", "b", "--label", "tier=gold"];
  const made = await run("create", "--name", "pager", ...jobs, "--to", "https://pager.example/");
  const [, id = ""] = /^hook +(\S+)\n/.exec(made) ?? [];
  expect(made.split("\n").map((line) => line.replaceAll(/ +/g, " "))).toEqual([
    `hook ${id}`,
    "name pager",
    "state active",
    "on FAILED a,b tier=gold",
    "to https://pager.example/",
    "version 1",
    expect.stringMatching(/^secret whsec_\S{44}$/),
  ]);
  expect(made).toContain(await run("get", id));

  const update = ["--metric", "queue-age-seconds", "--above", "300", "--for", "5m"];
  const changed = JSON.parse(await run("update", id, ...update, "-o", "json")) as object;
  expect(changed).toMatchObject({
    version: "2",
    spec: {
      name: "pager",
      threshold: { metric: "THRESHOLD_METRIC_QUEUE_AGE_SECONDS", above: 300, for: "300s" },
      url: "https://pager.example/",
    },
  });
  expect(await run("pause", id, "--reason", "moving")).toBe(`Hook ${id} is paused.`);
  const listed = await run("list");
  expect(listed).toMatch(/^HOOK +NAME +STATE +ON +TO/);
  expect(listed).toContain("paused: moving");
  expect(listed).toContain("queue-age-seconds above 300 for 5 min 0 s");
  expect(await run("test", id)).toMatch(/^[0-9a-f-]{36}$/);
  expect(await run("resume", id)).toBe(`Hook ${id} is active.`);
  expect(await run("delete", id)).toBe(`Hook ${id} is deleted.`);
  expect(await dev.cli(["hook", "get", id])).toMatchObject({ code: 5 });
});

test.each([
  [["--state", "failed"], /--to or --submit/],
  [["--above", "3", "--to", "https://a.example/"], /--metric/],
  [["--metric", "queued-jobs", "--to", "https://a.example/"], /--above/],
  [["--metric", "sheep", "--to", "https://a.example/"], /queue-age-seconds, queued-jobs/],
  [["--metric", "queued-jobs", "--above", "1", "--label", "a=b", "--submit", "x"], /--label/],
])("%j is told to be wrong, and nothing is made", async (args, said) => {
  const { code, stderr } = await dev.cli(["hook", "create", ...args]);
  expect({ code, stderr }).toEqual({ code: 2, stderr: expect.stringMatching(said) as string });
});

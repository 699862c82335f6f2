import { writeFile } from "node:fs/promises";
import path from "node:path";

import { afterAll, beforeAll, expect, test } from "vitest";

import { type DevHere, startDevHere } from "../support/dev-here.ts";

let dev: DevHere;
let script: string;

beforeAll(async () => {
  dev = await startDevHere();
  script = path.join(dev.dataDir, "report.ts");
  await writeFile(script, "export default (input: number): number => input * 2;");
});

afterAll(async () => {
  await dev.stop();
});

const run = async (...args: readonly string[]): Promise<string> => {
  const { code, stdout, stderr } = await dev.cli(["schedule", ...args]);
  expect({ code, stderr }).toMatchObject({ code: 0 });
  return stdout.trim();
};

test("a schedule is made, shown, triggered, paused, changed and deleted", async () => {
  const berlin = ["--cron", "30 2 * * *", "--time-zone", "Europe/Berlin"];
  const made = await run("create", "nightly", ...berlin, "--script", script, "--input", "21");
  expect(made).toMatch(/^schedule +nightly\nstate +active\ncron +30 2 \* \* \* +Europe\/Berlin\n/);
  expect(made).toMatch(/\nnext +\d{4}-\d\d-\d\d 0[23]:\d0:00 Europe\/Berlin\n/);
  expect(await run("get", "nightly")).toBe(made);

  const job = await run("trigger", "nightly");
  const result = await dev.cli(["job", "wait", job]);
  expect(result.code).toBe(0);
  expect((await dev.cli(["job", "result", job])).stdout.trim()).toBe("42");

  expect(await run("pause", "nightly", "--reason", "stocktaking")).toBe(
    "Schedule nightly is paused.",
  );
  const listed = await run("list");
  expect(listed).toMatch(/^SCHEDULE +CRON +STATE/);
  expect(listed).toContain(`paused: stocktaking`);
  expect(listed).toContain(`job ${job}`);
  expect(await run("resume", "nightly")).toMatch(/^Schedule nightly fires next at \d{4}-/);

  const changed = JSON.parse(await run("update", "nightly", "--cron", "@daily", "-o", "json")) as {
    readonly spec: { readonly cron: string; readonly timeZone: string };
  };
  expect(changed).toMatchObject({
    version: "4",
    spec: { cron: "@daily", timeZone: "Europe/Berlin", job: { input: 21 } },
  });
  expect(await run("delete", "nightly")).toBe("Schedule nightly is deleted.");
  expect(await dev.cli(["schedule", "get", "nightly"])).toMatchObject({ code: 5 });
});

test("what is wrong is told, and nothing is made", async () => {
  const incomplete = await dev.cli(["schedule", "create", "x", "--script", script]);
  expect(incomplete).toMatchObject({
    code: 2,
    stderr: expect.stringContaining("--cron") as string,
  });
  const never = ["--cron", "0 0 31 2 *", "--script", script];
  const refused = await dev.cli(["schedule", "create", "x", ...never]);
  expect(refused).toMatchObject({
    code: 2,
    stderr: expect.stringContaining("spec.cron") as string,
  });
  const nothing = await dev.cli(["schedule", "update", "x"]);
  expect(nothing.code).not.toBe(0);
  const valid = ["--cron", "@hourly", "--script", script, "--validate-only"];
  expect(await run("create", "x", ...valid)).toMatch(
    /^The schedule is valid\. Nothing was created/,
  );
  expect((await dev.cli(["schedule", "get", "x"])).code).toBe(5);
});

import { writeFile } from "node:fs/promises";
import path from "node:path";

import { afterAll, beforeAll, expect, test } from "vitest";

import { chartText } from "../../src/cli/metrics/chart.ts";
import { type DevHere, startDevHere } from "../support/dev-here.ts";

let dev: DevHere;

beforeAll(async () => {
  dev = await startDevHere();
});

afterAll(async () => {
  await dev.stop();
});

const run = async (...args: readonly string[]): Promise<string> => {
  const { code, stdout, stderr } = await dev.cli(["metrics", ...args]);
  expect({ code, stderr }).toMatchObject({ code: 0 });
  return stdout.trim();
};

test("numbers are shown over time and as they are now, and opened to everybody", async () => {
  const script = path.join(dev.dataDir, "answer.ts");
  await writeFile(script, "export default (): number => 42;");
  const job = (await dev.cli(["job", "submit", "--script", script])).stdout.trim();
  await dev.cli(["job", "wait", job]);
  const shown = await run("query", "--metrics", "submitted,succeeded,run-duration", "--by-type");
  expect(shown).toMatch(/^METRIC +TYPE +TOTAL +OVER TIME\nsubmitted +\(script\) +1 +█\n/m);
  expect(shown).toMatch(/\nrun-duration +\(script\) +1: p50 \S.*, p95 \S.*, max \S.* +█$/);
  expect(await run("now")).toMatch(/^TYPE +QUEUED +RUNNING .*\nall +0 +0 /);

  const refused = await dev.cli(["metrics", "grant", "put", "--metrics", "submitted"]);
  expect(refused.code).not.toBe(0);
  expect(refused.stderr).toContain("--everybody");
  const put = await run("grant", "put", "--everybody", "--metrics", "submitted,current");
  expect(put).toMatch(/\neverybody +submitted current +all/);
  expect(await run("grant", "list")).toBe(put);
  expect(await run("grant", "delete", "--everybody")).toBe("Nothing is granted to everybody.");
  expect(await run("grant", "list")).not.toContain("everybody");
});

test("a chart has a column for each interval, or for several where there are many", () => {
  const span = { start: 0, end: 4_000, stepMs: 1_000 };
  const points = [
    { at: 0, value: 1 },
    { at: 1_000, value: 4 },
    { at: 3_000, value: 8 },
  ];
  expect(chartText(points, span, "sum")).toBe("▁▄ █");
  expect(chartText(points, span, "sum", 2)).toBe("▅█");
  expect(chartText(points, span, "max", 2)).toBe("▄█");
  expect(chartText([], span, "sum")).toBe("    ");
});

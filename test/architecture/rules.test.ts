import { describe, expect, test } from "vitest";

import {
  environmentIsReadOnce,
  filesAreSmall,
  importsPointOneWay,
  jobsArePure,
  namesSaySomething,
  packagesHaveOneHome,
  timeComesFromRuntime,
} from "./rules.ts";

describe("each rule says no", () => {
  test.each([
    ["src/store/jobs.ts", 'import { x } from "../api/errors.ts";'],
    ["src/store/jobs.ts", 'import type { X } from "../api/errors.ts";'],
    ["src/jobs/states.ts", 'export * from "../runtime/clock.ts";'],
    ["src/runtime/clock.ts", 'import "../jobs/ids.ts";'],
    ["src/shard/actor.ts", 'import {\n  a,\n  b,\n} from "../gen/millrace/v1/job_pb.ts";'],
    ["src/api/server.ts", 'const { run } = await import("../cli/program.ts");'],
    ["src/api/server.ts", 'import { start } from "../../runner/main.ts";'],
    ["runner/sync.ts", 'import { hasEnded } from "../src/jobs/states.ts";'],
    ["runner/guest/console.ts", 'import { systemClock } from "../../src/runtime/clock.ts";'],
    ["migrations/0001.ts", 'import { x } from "../src/store/store.ts";'],
    ["src/cli/job/get.ts", 'import { start } from "../../../runner/main.ts";'],
    ["src/novel/thing.ts", ""],
  ])("to an import of the wrong direction in %s: %s", (file, text) => {
    expect(importsPointOneWay({ file, text })).toHaveLength(1);
  });

  test.each([
    ["src/api/jobs.ts", 'import knex from "knex";'],
    ["src/cluster/lease.ts", 'import mysql from "mysql2/promise";'],
    ["src/identity/tokens.ts", 'import { DatabaseSync } from "node:sqlite";'],
    ["runner/supervisor.ts", 'import ivm from "isolated-vm";'],
    ["src/shard/actor.ts", 'import { ConnectError } from "@connectrpc/connect";'],
  ])("to a package outside its home in %s: %s", (file, text) => {
    expect(packagesHaveOneHome({ file, text })).toHaveLength(1);
  });

  test("to a library in the domain of jobs", () => {
    const text = 'import { z } from "zod";\nimport { readFile } from "node:fs/promises";';
    expect(jobsArePure({ file: "src/jobs/limits.ts", text })).toHaveLength(2);
  });

  test.each([
    "const url = process.env.URL;",
    'process.env["URL"]',
    "const { env } = process; process.env",
  ])("to the environment outside config: %s", (text) => {
    expect(environmentIsReadOnce({ file: "src/serve.ts", text })).toHaveLength(1);
    expect(environmentIsReadOnce({ file: "src/environment.ts", text })).toEqual([]);
  });

  test.each([
    "const now = Date.now();",
    "const now = new Date();",
    "setTimeout(run, 10);",
    "const timer = setInterval(run, 10);",
    "const dice = Math.random();",
    "const start = performance.now();",
    'import { setTimeout as sleep } from "node:timers/promises";',
  ])("to a clock or dice outside runtime: %s", (text) => {
    expect(timeComesFromRuntime({ file: "src/shard/actor.ts", text })).toHaveLength(1);
    expect(timeComesFromRuntime({ file: "src/runtime/clock.ts", text })).toEqual([]);
  });

  test("to a file of 301 lines", () => {
    const file = "src/api/jobs.ts";
    expect(filesAreSmall({ file, text: "x\n".repeat(301) })).toHaveLength(1);
    expect(filesAreSmall({ file, text: "x\n".repeat(300) })).toEqual([]);
  });

  test.each([
    "src/api/utils.ts",
    "src/lib/tokens.ts",
    "runner/job-manager.ts",
    "test/support/helpers.ts",
  ])("to a name that says nothing: %s", (file) => {
    expect(namesSaySomething({ file, text: "" })).toHaveLength(1);
  });

  test.each(["src/api/jobService.ts", "src/Store/store.ts"])(
    "to a name in another case: %s",
    (file) => {
      expect(namesSaySomething({ file, text: "" })).toHaveLength(1);
    },
  );
});

describe("what is right passes", () => {
  test("imports along the arrows, within a part, and of packages", () => {
    const text = [
      'import { z } from "zod";',
      'import { hasEnded } from "../jobs/states.ts";',
      'import { x } from "./engines/mysql.ts";',
    ].join("\n");
    expect(importsPointOneWay({ file: "src/store/jobs.ts", text })).toEqual([]);
  });

  test("a formatted date, a clock that is handed in, and a comment that speaks of them", () => {
    const text = [
      "/** Unlike Date.now() it never jumps. */",
      "new Date(row.createdAt).toISOString();",
      "clock.now(); // not Date.now()",
      "this.setTimeout(5);",
    ].join("\n");
    expect(timeComesFromRuntime({ file: "src/api/jobs.ts", text })).toEqual([]);
  });

  test("a clock in the text of a template, though not one in its expression", () => {
    const guest = ["const guest = `", "  setTimeout(run, 1); // it's ${name} {", "`;"].join("\n");
    expect(timeComesFromRuntime({ file: "runner/sandbox/a.ts", text: guest })).toEqual([]);
    const text = [guest, "const told = `at ${{ now: Date.now() }.now}`;"].join("\n");
    expect(timeComesFromRuntime({ file: "runner/sandbox/a.ts", text })).toEqual([
      expect.stringContaining("runner/sandbox/a.ts:4 "),
    ]);
  });

  test("quotes and slashes in regular expressions hide nothing after them", () => {
    const text = "const quote = /[`'\"/]/;\nconst half = size / 2; // `\nconst now = Date.now();";
    expect(timeComesFromRuntime({ file: "src/api/a.ts", text })).toHaveLength(1);
  });

  test("the one door from the command line to the runner", () => {
    const text = 'const { composeRunner } = await import("../../runner/main.ts");';
    expect(importsPointOneWay({ file: "src/cli/runner.ts", text })).toEqual([]);
  });
});

/**
 * Two projects, which differ in how much of a process a test file has to itself.
 *
 * `together`, the rule: files run one after another in three processes, and share what these have
 * imported. It halves the work of a file. So a file leaves nothing behind: it stops what it started,
 * and puts back what it changed. Databases are copied from templates (test/support/templates.ts).
 *
 * `alone`: each file has a process of its own. These change what a process has only one of
 * (OpenTelemetry's global providers, its environment), start processes for most of their time, or
 * are hostile. They run first, as the longest are among them (test/support/longest-first.ts).
 */
import { join } from "node:path";

import { defineConfig } from "vitest/config";

import { LongestFirst } from "./test/support/longest-first.ts";

const ALONE = [
  "test/attacks/**/*.test.ts",
  "test/cli/operator.test.ts",
  "test/e2e/**/*.test.ts",
  "test/examples/**/*.test.ts",
  "test/package/**/*.test.ts",
  "test/runner/orphans.test.ts",
  "test/simulation/**/*.test.ts",
  "test/telemetry/**/*.test.ts",
];

export default defineConfig({
  test: {
    globalSetup: ["test/support/global-setup.ts"],
    // Tests ask the system for the children of their own process.
    pool: "forks",
    // For the processes that tests start. Where bin/millrace has it too.
    env: { NODE_COMPILE_CACHE: join(import.meta.dirname, "node_modules/.cache/millrace") },
    // One more than there are cores where it has to be quick: a quarter of the time files wait.
    maxWorkers: 3,
    sequence: { sequencer: LongestFirst },
    // Against a hang alone: no test measures time by them, and a busy machine makes none fail.
    testTimeout: 120_000,
    hookTimeout: 120_000,
    projects: [
      { extends: true, test: { name: "alone", include: ALONE } },
      {
        extends: true,
        test: {
          name: "together",
          include: ["test/**/*.test.ts"],
          exclude: ALONE,
          isolate: false,
        },
      },
    ],
  },
});

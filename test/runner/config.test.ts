import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { availableParallelism, tmpdir } from "node:os";
import { join } from "node:path";

import { describe, expect, it } from "vitest";

import { readRunnerConfig, RunnerConfigFault } from "../../runner/config.ts";

describe("the configuration of a runner", () => {
  it("needs a token and nothing else", () => {
    expect(readRunnerConfig({ MILLRACE_RUNNER_TOKEN: "t" })).toMatchObject({
      internalUrl: "http://127.0.0.1:7411",
      token: "t",
      slots: Math.max(8, availableParallelism() * 8),
      drainMs: 30_000,
      limits: { cpuMs: 5_000, heapMb: 64, rssBytes: 400 * 2 ** 20 },
    });
  });

  it("takes the token from a file", async () => {
    const directory = await mkdtemp(join(tmpdir(), "runner-config-"));
    const path = join(directory, "token");
    await writeFile(path, "secret\n");
    expect(readRunnerConfig({ MILLRACE_RUNNER_TOKEN_FILE: path }).token).toBe("secret");
    await writeFile(path, "\n");
    expect(() => readRunnerConfig({ MILLRACE_RUNNER_TOKEN_FILE: path })).toThrow(/is empty/);
    await rm(directory, { recursive: true });
    expect(() => readRunnerConfig({ MILLRACE_RUNNER_TOKEN_FILE: path })).toThrow(/cannot be read/);
  });

  it.each([
    [{}, /MILLRACE_RUNNER_TOKEN/],
    [{ MILLRACE_RUNNER_TOKEN: "t", MILLRACE_RUNNER_SLOTS: "0" }, /MILLRACE_RUNNER_SLOTS/],
    [{ MILLRACE_RUNNER_TOKEN: "t", MILLRACE_RUNNER_SLOTS: "many" }, /MILLRACE_RUNNER_SLOTS/],
    [{ MILLRACE_RUNNER_TOKEN: "t", MILLRACE_INTERNAL_URL: "ftp://x" }, /MILLRACE_INTERNAL_URL/],
  ])("refuses %o and names the variable", (environment, message) => {
    expect(() => readRunnerConfig(environment)).toThrow(RunnerConfigFault);
    expect(() => readRunnerConfig(environment)).toThrow(message);
  });
});

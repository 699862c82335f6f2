import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { existsSync } from "node:fs";
import { createInterface } from "node:readline";

import { afterEach, describe, expect, it, vi } from "vitest";

const PROGRAM = new URL("../support/sandbox-owner.ts", import.meta.url).pathname;

describe("a runner process that is killed", () => {
  let owner: ChildProcess | undefined;

  afterEach(() => {
    owner?.kill("SIGKILL");
  });

  it("takes its sandbox children along, also one that loops", async () => {
    const started = spawn(process.execPath, ["--no-warnings", PROGRAM], {
      stdio: ["ignore", "pipe", "inherit"],
    });
    owner = started;
    const [line] = (await once(createInterface(started.stdout), "line")) as [string];
    const pids = line.split(" ").map(Number);
    expect(pids.length).toBeGreaterThan(0);
    expect(pids.every((pid) => existsSync(`/proc/${pid}`))).toBe(true);
    started.kill("SIGKILL");
    await vi.waitFor(() => {
      expect(pids.filter((pid) => existsSync(`/proc/${pid}`))).toEqual([]);
    }, 5_000);
  });
});

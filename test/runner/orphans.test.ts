import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { existsSync } from "node:fs";
import { mkdtemp, readdir, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createInterface } from "node:readline";

import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";

import { eventually } from "../support/eventually.ts";
import { startSandbox } from "../support/runner-sandbox.ts";

const PROGRAM = new URL("../support/sandbox-owner.ts", import.meta.url).pathname;

describe("a runner process that is killed", () => {
  let owner: ChildProcess | undefined;
  let temporary: string;

  beforeEach(async () => {
    temporary = await mkdtemp(join(tmpdir(), "millrace-orphans-"));
    vi.stubEnv("TMPDIR", temporary);
  });

  afterEach(async () => {
    owner?.kill("SIGKILL");
    vi.unstubAllEnvs();
    await rm(temporary, { recursive: true, force: true });
  });

  const folders = async (): Promise<readonly string[]> => (await readdir(temporary)).toSorted();

  /** Its children by their ids. */
  const startOwner = async (): Promise<readonly number[]> => {
    const started = spawn(process.execPath, ["--no-warnings", PROGRAM], {
      stdio: ["ignore", "pipe", "inherit"],
    });
    owner = started;
    const [line] = (await once(createInterface(started.stdout), "line")) as [string];
    return line.split(" ").map(Number);
  };

  const killOwner = async (): Promise<void> => {
    const killed = owner;
    if (killed === undefined) throw new Error("no owner was started");
    const gone = once(killed, "exit");
    killed.kill("SIGKILL");
    await gone;
  };

  it("takes its sandbox children along, also one that loops", async () => {
    const pids = await startOwner();
    expect(pids.length).toBeGreaterThan(0);
    expect(pids.every((pid) => existsSync(`/proc/${pid}`))).toBe(true);
    await killOwner();
    await eventually(() => {
      expect(pids.filter((pid) => existsSync(`/proc/${pid}`))).toEqual([]);
    });
  });

  it("leaves a folder, which the next runner removes, and no living runner's with it", async () => {
    const alive = await startSandbox();
    const [own] = await folders();
    await startOwner();
    expect(await folders()).toHaveLength(2);
    await killOwner();
    expect(await folders()).toHaveLength(2);
    const next = await startSandbox();
    const after = await folders();
    expect(after).toHaveLength(2);
    expect(after).toContain(own);
    await next.stop();
    expect(await folders()).toEqual([own]);
    await alive.stop();
    expect(await folders()).toEqual([]);
  });
});

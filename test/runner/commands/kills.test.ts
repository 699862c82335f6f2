import { type ChildProcess, spawn } from "node:child_process";
import { on } from "node:events";
import { openSync } from "node:fs";
import { createInterface } from "node:readline";

import { afterAll, afterEach, beforeAll, describe, expect, it } from "vitest";

import { statFields } from "../../../runner/commands/group.ts";
import { AttemptStopped } from "../../../runner/executor.ts";
import {
  type CommandRun,
  endOf,
  resultOf,
  shell,
  startCommands,
  type TestCommands,
} from "../../support/commands.ts";
import { eventually } from "../../support/eventually.ts";

const OWNER = new URL("../../support/command-owner.ts", import.meta.url).pathname;

let commands: TestCommands;

beforeAll(async () => {
  commands = await startCommands({
    family: { argv: shell("sleep 1000 & echo pids $$ $!; wait") },
    stubborn: {
      argv: shell(`trap "" TERM; sleep 1000 & echo pids $$ $!; while :; do sleep 1000; done`),
      kill_after_seconds: 0.1,
    },
    tidy: {
      argv: shell(`trap "echo tidied; exit 0" TERM; echo pids $$; while :; do sleep 0.01; done`),
    },
    paused: { argv: shell("echo pids $$; kill -STOP $$") },
    hasty: { argv: shell("echo pids $$; sleep 1000"), timeout_seconds: 0.1 },
    parent: { argv: shell("sleep 1000 & echo pids $!") },
    escaped: { argv: shell("setsid sleep 1000 & echo pids $!") },
  });
});

afterAll(async () => {
  await commands.stop();
});

const isAlive = (pid: number): boolean => {
  const state = statFields(pid)?.[0];
  return state !== undefined && state !== "Z";
};

const pidsIn = (rows: readonly string[]): readonly number[] =>
  rows.flatMap((row) => /pids (.*)/.exec(row)?.[1]?.split(" ").map(Number) ?? []);

/** Cancels it once it has said who it is. */
const cancelled = async (name: string): Promise<CommandRun> => {
  const controller = new AbortController();
  return await commands.run(name, {
    signal: controller.signal,
    onOutput: () => {
      controller.abort(new AttemptStopped("cancelled"));
    },
  });
};

describe.runIf(process.platform === "linux")("a command that is cancelled", () => {
  it.each(["family", "stubborn", "paused"])("takes all of its group along: %s", async (name) => {
    const ran = await cancelled(name);
    expect(endOf(ran)).toBe("cancelled");
    expect(pidsIn(ran.output).length).toBeGreaterThan(0);
    expect(pidsIn(ran.output).filter(isAlive)).toEqual([]);
  });

  it("may tidy up, and is cancelled whatever its exit code says", async () => {
    const ran = await cancelled("tidy");
    expect(endOf(ran)).toBe("cancelled");
    expect(ran.output).toContain("STDOUT tidied");
  });

  it("is not started if that was before its start", async () => {
    const ran = await commands.run("family", {
      signal: AbortSignal.abort(new AttemptStopped("cancelled")),
    });
    expect(endOf(ran)).toBe("cancelled");
    expect(ran.output).toEqual([]);
  });
});

describe.runIf(process.platform === "linux")("a command whose time is over", () => {
  it.each([
    ["hasty", 20_000],
    ["family", 100],
  ])("is ended by its own time or by that of the attempt: %s", async (name, timeoutMs) => {
    const ran = await commands.run(name, { timeoutMs });
    expect(ran.ending).toMatchObject({
      error: {
        code: "timeout.wall",
        message: "the command took longer than 100 ms",
        retryable: true,
      },
    });
    expect(pidsIn(ran.output).filter(isAlive)).toEqual([]);
  });
});

describe.runIf(process.platform === "linux")("a command that ends by itself", () => {
  it("leaves nothing running, even if that holds its output open", async () => {
    const ran = await commands.run("parent");
    expect(resultOf(ran)).toEqual({ exit_code: 0 });
    expect(pidsIn(ran.output).filter(isAlive)).toEqual([]);
  });

  it("is not held up by a process that left its group", async () => {
    const ran = await commands.run("escaped");
    expect(resultOf(ran)).toEqual({ exit_code: 0 });
    const [pid = 0] = pidsIn(ran.output);
    expect(isAlive(pid)).toBe(true);
    process.kill(pid, "SIGKILL");
  });
});

describe.runIf(process.platform === "linux")("a runner process that is killed", () => {
  let owner: ChildProcess | undefined;

  afterEach(() => {
    owner?.kill("SIGKILL");
  });

  it("takes its commands and their children along, which had nothing of its descriptors", async () => {
    const inherited = openSync(OWNER, "r");
    const started = spawn(process.execPath, ["--no-warnings", OWNER], {
      // Node closes by itself what it inherits up to 16.
      stdio: ["ignore", "pipe", "inherit", ...Array<"ignore">(17).fill("ignore"), inherited],
    });
    owner = started;
    const rows: string[] = [];
    for await (const [row] of rowsOf(started)) {
      rows.push(row);
      if (row.includes("pids")) break;
    }
    const descriptors = rows.flatMap((row) => / (\d+) -> (.*)$/.exec(row)?.slice(1, 3) ?? []);
    expect(descriptors).toContain("20");
    expect(descriptors[descriptors.indexOf("20") + 1]).toBe("/dev/null");
    expect(rows.join("\n")).not.toContain(OWNER);
    const pids = pidsIn(rows);
    expect(pids).toHaveLength(2);
    expect(pids.every(isAlive)).toBe(true);
    started.kill("SIGKILL");
    await eventually(() => {
      expect(pids.filter(isAlive)).toEqual([]);
    });
  });
});

const rowsOf = (child: ChildProcess): AsyncIterable<[string]> => {
  if (child.stdout === null) throw new Error("its output is not piped");
  return on(createInterface(child.stdout), "line") as AsyncIterable<[string]>;
};

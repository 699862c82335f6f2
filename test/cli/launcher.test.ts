import { cp, mkdir, mkdtemp, rm, symlink, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import path from "node:path";

import { afterAll, beforeAll, expect, test } from "vitest";

import { LAUNCHER, runCli } from "../support/cli.ts";

let folder: string;

beforeAll(async () => {
  folder = await mkdtemp(path.join(tmpdir(), "millrace-launcher-"));
});

afterAll(async () => {
  await rm(folder, { recursive: true, force: true });
});

test("starts from any folder, with nothing but the system on PATH", async () => {
  const run = await runCli(["--version"], { cwd: folder });
  expect(run).toMatchObject({ code: 0, stderr: "" });
  expect(run.stdout).toMatch(/^\d+\.\d+\.\d+\n$/);
});

test("starts through a chain of symbolic links, absolute and relative", async () => {
  await mkdir(path.join(folder, "bin"));
  await symlink(LAUNCHER, path.join(folder, "bin", "first"));
  await symlink("bin/first", path.join(folder, "second"));
  const run = await runCli(["--version"], { cwd: "/", launcher: path.join(folder, "second") });
  expect(run).toMatchObject({ code: 0, stderr: "" });
});

test("passes arguments on as they are", async () => {
  const run = await runCli(["job", "submit", "--script", "no such file; $(exit 9) *"]);
  expect(run.code).toBe(2);
  expect(run.stderr).toContain("no such file; $(exit 9) * cannot be read");
});

test("without its Node and with an old one on the system, it says what to do", async () => {
  const copy = path.join(folder, "copy");
  await cp(LAUNCHER, path.join(copy, "bin", "millrace"));
  await mkdir(path.join(copy, "src"));
  await writeFile(path.join(copy, "src", "main.ts"), "");
  const old = path.join(folder, "old");
  await mkdir(old);
  // Answers like a Node that is too old, to whatever it is asked.
  await writeFile(path.join(old, "node"), "#!/bin/sh\nexit 1\n", { mode: 0o755 });
  const run = await runCli(["--version"], {
    launcher: path.join(copy, "bin", "millrace"),
    env: { PATH: `${old}:/usr/bin:/bin` },
  });
  expect(run.code).toBe(127);
  expect(run.stderr).toContain("Node.js 26");
  expect(run.stderr).toContain("npm ci");
});

test("from a package, which holds no server, it says what is in there", async () => {
  const copy = path.join(folder, "package", "bin", "millrace");
  await cp(LAUNCHER, copy);
  const run = await runCli(["--version"], { launcher: copy });
  expect(run.code).toBe(127);
  expect(run.stderr).toContain("millrace/runner");
});

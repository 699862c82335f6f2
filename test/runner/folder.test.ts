import { existsSync } from "node:fs";
import { mkdir, mkdtemp, rename, rm, writeFile } from "node:fs/promises";
import { createServer } from "node:net";
import { tmpdir } from "node:os";
import { basename, join } from "node:path";

import { afterEach, beforeEach, expect, it } from "vitest";

import { claimFolder, removeLeftovers } from "../../runner/sandbox/folder.ts";

let parent: string;
beforeEach(async () => {
  parent = await mkdtemp(join(tmpdir(), "millrace-folders-"));
});
afterEach(async () => {
  await rm(parent, { recursive: true, force: true });
});

/** A folder as a killed process leaves it: the socket is a file to which nobody listens. */
const leaveFolder = async (): Promise<string> => {
  const folder = await claimFolder(parent);
  const left = `${folder.path}-left`;
  const server = createServer();
  await new Promise<void>((resolve) => server.listen(join(parent, "socket"), resolve));
  await mkdir(join(left, "program"), { recursive: true });
  await writeFile(join(left, "program", "child.js"), "");
  await rename(join(parent, "socket"), join(left, "alive"));
  await new Promise((resolve) => server.close(resolve));
  await folder.remove();
  return left;
};

it("what a killed process left is removed, with all that is in it", async () => {
  const left = await leaveFolder();
  expect(await removeLeftovers(parent)).toEqual([left]);
  expect(existsSync(left)).toBe(false);
});

it("the folder of a process that lives is not, until it removes it itself", async () => {
  const folder = await claimFolder(parent);
  expect(await removeLeftovers(parent)).toEqual([]);
  await folder.remove();
  expect(existsSync(folder.path)).toBe(false);
});

it("a folder that shows no mark of life, is of another kernel, or is nobody's of ours stays", async () => {
  const left = await leaveFolder();
  const elsewhere = join(parent, `millrace-sandbox-00000000-${basename(left)}`);
  await rename(left, elsewhere);
  const folder = await claimFolder(parent);
  const starting = `${folder.path}-starting`;
  await mkdir(starting);
  expect(await removeLeftovers(parent)).toEqual([]);
  expect([elsewhere, starting, folder.path].every((path) => existsSync(path))).toBe(true);
  await folder.remove();
});

it("a path that is too long for a socket does not keep a runner from starting", async () => {
  const deep = join(parent, "x".repeat(100));
  await mkdir(deep);
  const folder = await claimFolder(deep);
  expect(await removeLeftovers(deep)).toEqual([]);
  expect(existsSync(folder.path)).toBe(true);
  await folder.remove();
  expect(existsSync(folder.path)).toBe(false);
});

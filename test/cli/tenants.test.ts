import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import path from "node:path";

import { afterAll, beforeAll, expect, test } from "vitest";

import { writeCredentials } from "../../src/identity/credentials-file.ts";
import type { CliRun } from "../support/cli.ts";
import { runCliHere } from "../support/cli-here.ts";
import { startTestServer, type TestServer } from "../support/server.ts";

let server: TestServer;
let dataDir: string;

/** As a local server leaves them: who names an organization speaks as an operator. */
beforeAll(async () => {
  server = await startTestServer();
  dataDir = await mkdtemp(path.join(tmpdir(), "millrace-cli-"));
  const { publicUrl: url, internalUrl, runnerToken, operatorToken, admin } = server;
  await writeCredentials(dataDir, { url, internalUrl, runnerToken, operatorToken, ...admin });
});

afterAll(async () => {
  await server.stop();
  await rm(dataDir, { recursive: true, force: true });
});

const cli = async (...args: string[]): Promise<CliRun> =>
  await runCliHere(args, { MILLRACE_DATA_DIR: dataDir });

/** The output of a command that ends well. */
const told = async (...args: string[]): Promise<string> => {
  const { code, stdout, stderr } = await cli(...args);
  expect({ code, stderr }).toMatchObject({ code: 0 });
  return stdout.trim();
};

const parsed = async (...args: string[]): Promise<unknown> =>
  JSON.parse(await told(...args, "--output", "json"));

test("an operator makes an organization, changes one limit and keeps the others", async () => {
  const id = await told(
    "organization",
    "create",
    "globex",
    "--max-running",
    "9",
    "--retention",
    "2d",
  );
  expect(await told("organization", "get", id)).toMatch(/running +9\nqueued +1000000 \(default\)/);
  await told("organization", "update", id, "--weight", "3");
  expect(await parsed("organization", "get", id)).toMatchObject({
    limits: { maxRunning: 9, weight: 3, retention: "172800s" },
  });
  const updated = await told("organization", "update", id, "--max-running", "default");
  expect(updated).toMatch(/running +5 \(default\)/);
  expect(updated).toMatch(/retention +2 d/);
  expect(await told("organization", "list")).toContain("globex");
  expect(await cli("organization", "update", id)).toMatchObject({ code: 2 });
  expect(await cli("organization", "create", "globex")).toMatchObject({ code: 5 });
  const audit = await told("organization", "audit", "--organization", id);
  expect(audit.split("\n").map((line) => line.split(/ +/)[1])).toEqual([
    "ACTION",
    "organization.update",
    "organization.update",
    "organization.create",
  ]);
});

test("an admin makes users, changes what they may do, and shuts them out", async () => {
  expect(await told("user", "get")).toContain(server.admin.userId);
  expect(await told("organization", "get")).toMatch(/name +acme/);
  const id = await told("user", "create", "ada", "--abilities", "jobs:view", "--roles", "job-read");
  expect(await parsed("user", "get", id)).toMatchObject({
    name: "ada",
    abilities: ["jobs:view"],
    roles: ["job-read"],
  });
  expect(await told("user", "update", id, "--roles", "")).not.toContain("job-read");
  expect(await told("user", "disable", id)).toMatch(/state +disabled/);
  expect(await told("user", "list")).toMatch(/ada +jobs:view +disabled/);
  expect(await told("user", "enable", id)).not.toContain("disabled");
  expect(await cli("user", "update", id)).toMatchObject({ code: 2 });
  const refused = await cli("user", "create", "bob", "--roles", "boss");
  expect(refused.code).toBe(2);
  expect(refused.stderr).toContain("roles.names[0]: must be one of admin, job-read, job-write");
});

test("attributes are set, listed and removed", async () => {
  const id = await told("user", "create", "carl");
  expect(await told("user", "set-attribute", id, "team", "blue")).toBe("team=blue is set.");
  await told("user", "set-attribute", id, "once", "x", "--dynamic");
  const listed = await told("user", "attributes", id);
  expect(listed).toMatch(/once +x +DYNAMIC/);
  expect(listed).toMatch(/team +blue +STATIC/);
  expect(await parsed("user", "remove-attribute", id, "team", "blue")).toEqual({ removed: true });
  const again = await told("user", "remove-attribute", id, "team", "blue");
  expect(again).toBe("There was no team=blue.");
});

test.each([
  ...["create", "get", "list", "update", "audit"].map((verb) => ["organization", verb]),
  ...["create", "get", "list", "update", "disable", "enable"].map((verb) => ["user", verb]),
  ...["attributes", "set-attribute", "remove-attribute"].map((verb) => ["user", verb]),
  ["job", "release"],
])("the help of %s %s has an example", async (...command) => {
  const help = await told(...command, "--help");
  expect(help).toContain(`Examples:\n  $ millrace ${command.join(" ")}`);
});

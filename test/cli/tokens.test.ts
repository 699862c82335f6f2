import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import path from "node:path";

import { afterAll, beforeAll, describe, expect, test } from "vitest";

import { writeCredentials } from "../../src/identity/credentials-file.ts";
import type { CliRun } from "../support/cli.ts";
import { runCliHere } from "../support/cli-here.ts";
import { createHandRunner } from "../support/hand-runner.ts";
import { startTestServer, type TestServer } from "../support/server.ts";

type Bootstrapped = Readonly<
  Record<"organizationId" | "userId" | "token" | "operatorToken" | "runnerToken", string>
>;

let folder: string;
let server: TestServer;
let made: Bootstrapped;

const cli = async (...args: string[]): Promise<CliRun> =>
  await runCliHere(args, { MILLRACE_DATA_DIR: folder });

/** The output of a command that ends well. */
const told = async (...args: string[]): Promise<string> => {
  const { code, stdout, stderr } = await cli(...args);
  expect({ code, stderr }).toMatchObject({ code: 0 });
  return stdout.trim();
};

const parsed = async (...args: string[]): Promise<unknown> =>
  JSON.parse(await told(...args, "--output", "json"));

/** A fresh database, whose first tokens are made before any server runs on it. */
beforeAll(async () => {
  folder = await mkdtemp(path.join(tmpdir(), "millrace-tokens-"));
  const databaseUrl = `sqlite:${folder}/fresh.db`;
  const begin = ["bootstrap", "--database", databaseUrl];
  made = (await parsed(...begin, "--organization", "globex", "--user", "ada")) as Bootstrapped;
  server = await startTestServer({ databaseUrl });
  const { publicUrl: url, internalUrl } = server;
  await writeCredentials(folder, { url, internalUrl, ...made });
});
afterAll(async () => {
  await server.stop();
  await rm(folder, { recursive: true, force: true });
});

describe("millrace bootstrap", () => {
  test("makes an admin, an operator and a runner who can work", async () => {
    expect(await told("user", "list")).toMatch(/ada +admin/);
    expect(await told("organization", "list")).toContain("globex");
    const { runnerToken } = made;
    expect(await told("token", "introspect", runnerToken, "--system")).toMatch(/^kind +runner$/m);
  });

  test("a second time makes further tokens for the same admin", async () => {
    const databaseUrl = `sqlite:${folder}/other.db`;
    const begin = [
      "bootstrap",
      "--database",
      databaseUrl,
      "--organization",
      "acme",
      "--user",
      "ada",
    ];
    const [first, second] = [await parsed(...begin), await parsed(...begin)] as Bootstrapped[];
    expect(second).toMatchObject({ organizationId: first?.organizationId, userId: first?.userId });
    expect(second?.operatorToken).not.toBe(first?.operatorToken);
  });

  test("a user who is no admin gets no admin's token, and no name is taken that the API refuses", async () => {
    const carl = await told("user", "create", "carl");
    const begin = ["bootstrap", "--database", `sqlite:${folder}/fresh.db`] as const;
    const run = await cli(...begin, "--organization", "globex", "--user", "carl");
    expect(run).toMatchObject({ code: 5, stdout: "" });
    expect(run.stderr).toContain("is no admin");
    await told("user", "disable", carl);
    const again = await cli(...begin, "--organization", "globex", "--user", "carl");
    expect(again.stderr).toContain("is disabled");
    const blank = await cli(...begin, "--organization", "globex ", "--user", "ada");
    expect(blank).toMatchObject({ code: 2, stdout: "" });
  });

  test("an admin without an organization is refused", async () => {
    const run = await cli("bootstrap", "--database", `sqlite:${folder}/other.db`, "--user", "ada");
    expect(run).toMatchObject({ code: 2, stdout: "" });
  });
});

describe("millrace token", () => {
  test("create makes a token that works until it is revoked", async () => {
    const token = await told("token", "create", "--abilities", "jobs:view", "--expires", "30d");
    expect(await cli("job", "list", "--token", token)).toMatchObject({ code: 0 });
    const submitted = await cli("job", "submit", "--type", "idle", "--token", token);
    expect(submitted.stderr).toContain("jobs:create");
    expect(await told("token", "revoke", token)).toMatch(/^Token \w+ is revoked\.$/);
    expect(await cli("job", "list", "--token", token)).toMatchObject({ code: 4 });
    expect(await told("token", "revoke", token)).toMatch(/was worth nothing already/);
    const run = await cli("token", "revoke", "nobodys");
    expect(run).toMatchObject({ code: 5, stdout: "" });
  });

  test("create for another user takes his id; list shows neither secrets nor their hashes", async () => {
    const bob = await told("user", "create", "bob");
    const token = await told("token", "create", "--user", bob, "--name", "bob's laptop");
    expect(await told("token", "introspect", token)).toContain(bob);
    const list = await told("token", "list", "--user", bob);
    expect(list).toContain("bob's laptop");
    expect(list).toMatch(/valid$/m);
    const json = await told("token", "list", "--output", "json");
    expect(json).not.toContain(token);
    expect(json).not.toContain("hash");
  });

  test("create for runners and operators speaks as the operator of the data directory", async () => {
    const token = await told("token", "create", "--runner", "--name", "rack-7");
    expect(await told("token", "list", "--system")).toMatch(/runner +rack-7/);
    expect(await told("token", "revoke", token, "--system")).toContain("is revoked");
    expect(await cli("token", "create", "--runner", "--operator")).toMatchObject({ code: 2 });
    const refused = await cli("token", "create", "--runner", "--user", made.userId);
    expect(refused.stderr).toContain("user_id");
  });

  test("introspect of what is worth nothing ends with 5", async () => {
    const run = await cli("token", "introspect", "nonsense");
    expect(run).toMatchObject({ code: 5, stdout: "This token is worth nothing here.\n" });
    expect(await parsed("token", "introspect")).toMatchObject({
      active: true,
      userId: made.userId,
    });
  });

  test("revoke takes a job's own token, by its text too", async () => {
    const runner = createHandRunner(server);
    await told("job", "submit", "--script", "examples/scripts/hello.ts");
    const { jobToken } = await runner.take();
    expect(await told("token", "introspect", jobToken)).toMatch(/^kind +job$/m);
    expect(await told("token", "revoke", jobToken)).toMatch(/^Token job:\S+#1 is revoked\.$/);
    expect(await cli("token", "introspect", jobToken)).toMatchObject({ code: 5 });
  });
});

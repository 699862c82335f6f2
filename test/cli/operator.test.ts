import { mkdtemp, rm, stat } from "node:fs/promises";
import { tmpdir } from "node:os";
import path from "node:path";
import { DatabaseSync } from "node:sqlite";

import { afterAll, beforeAll, describe, expect, test } from "vitest";

import { runCliHere } from "../support/cli-here.ts";
import { type Dev, startDev } from "../support/dev.ts";
import { eventually } from "../support/eventually.ts";

let dev: Dev;

beforeAll(async () => {
  dev = await startDev();
});

afterAll(async () => {
  await dev.stop();
});

const parsed = (json: string): unknown => JSON.parse(json);

test("tokens to begin with are made beside a server that runs", async () => {
  const made = await dev.cli(["bootstrap", "--organization", "acme", "--user", "ada"]);
  expect(made.code).toBe(0);
  const tokens = new Map(
    made.stdout.split("\n").map((line) => line.split(/ +/, 2) as [string, string]),
  );
  const [token = "", operator = ""] = [tokens.get("token"), tokens.get("operatorToken")];
  expect(await dev.cli(["job", "list", "--token", token])).toMatchObject({ code: 0 });
  const organizations = await dev.cli(["organization", "list", "--token", operator]);
  expect(organizations.stdout).toContain("acme");
});

describe("the schema", () => {
  let folder: string;

  beforeAll(async () => {
    folder = await mkdtemp(path.join(tmpdir(), "millrace-migrate-"));
  });

  afterAll(async () => {
    await rm(folder, { recursive: true, force: true });
  });

  test("goes up, stands and goes down; one that is newer than the server is refused", async () => {
    const database = `sqlite:${folder}/millrace.db`;
    const migrate = async (...args: readonly string[]) =>
      await runCliHere(["migrate", ...args, "--database", database, "--output", "json"], {});
    const up = await migrate("up");
    const { applied } = parsed(up.stdout) as { applied: string[] };
    expect(applied.length).toBeGreaterThan(5);
    expect(parsed((await migrate("status")).stdout)).toEqual({ applied, pending: [], unknown: [] });
    expect(parsed((await migrate("down")).stdout)).toEqual({ reverted: applied.at(-1) });

    await migrate("up");
    using newer = new DatabaseSync(`${folder}/millrace.db`);
    newer.exec(
      "INSERT INTO knex_migrations (name, batch, migration_time) VALUES ('9999-new', 9, 0)",
    );
    const env = {
      MILLRACE_DATABASE_URL: database,
      MILLRACE_LISTEN: "127.0.0.1:0",
      MILLRACE_INTERNAL_LISTEN: "127.0.0.1:0",
      MILLRACE_METRICS_LISTEN: "off",
    };
    const serve = await runCliHere(["serve"], env);
    expect(serve.code).toBe(5);
    expect(serve.stderr).toContain("9999-new");
  });

  test("of a database that is not there ends with 4", async () => {
    const database = "mysql://root@127.0.0.1:1/millrace";
    const run = await runCliHere(["migrate", "status", "--database", database], {});
    expect(run.code).toBe(4);
    expect(run.stderr).toContain("The database cannot be reached");
  });
});

describe("millrace dev", () => {
  test("keeps what it left on disk to its owner", async () => {
    for (const file of ["credentials.json", "millrace.db"]) {
      expect((await stat(path.join(dev.dataDir, file))).mode & 0o077, file).toBe(0);
    }
  });

  test("refuses a second one on the same data", async () => {
    const args = ["dev", "--data-dir", dev.dataDir, "--port", "0", "--internal-port", "0"];
    const run = await runCliHere(args, { MILLRACE_METRICS_LISTEN: "off" });
    expect(run.code).toBe(5);
    expect(run.stderr).toContain("in use by another Millrace server");
  });

  test("says which port is taken", async () => {
    const folder = await mkdtemp(path.join(tmpdir(), "millrace-port-"));
    const args = [
      "dev",
      "--data-dir",
      folder,
      "--port",
      new URL(dev.url).port,
      "--internal-port",
      "0",
    ];
    const run = await runCliHere(args, { MILLRACE_METRICS_LISTEN: "off" });
    await rm(folder, { recursive: true, force: true });
    expect(run.code).toBe(5);
    expect(run.stderr).toContain("A port is taken");
  });

  test("refuses a database that somebody else owns", async () => {
    const run = await runCliHere(["dev"], { MILLRACE_DATABASE_URL: "mysql://root@db/millrace" });
    expect(run.code).toBe(2);
  });

  test("tells everything that is wrong with the environment", async () => {
    const wrong = { MILLRACE_LISTEN: "here", MILLRACE_LOG_LEVEL: "loud" };
    const run = await runCliHere(["dev"], wrong);
    expect(run.code).toBe(2);
    expect(run.stderr).toContain('MILLRACE_LISTEN is "here"');
    expect(run.stderr).toContain('MILLRACE_LOG_LEVEL is "loud"');
  });

  test("starts another runner when its runner is killed, and jobs go on", async () => {
    const before = dev.runnerPid();
    process.kill(before, "SIGKILL");
    const run = await dev.cli(["job", "submit", "--script", "-", "--wait"], {
      input: "export default () => 'still here';",
    });
    expect(run).toMatchObject({ code: 0, stdout: "still here\n" });
    expect(dev.runnerPid()).not.toBe(before);
    expect(dev.errors()).toContain("The runner died (SIGKILL)");
  });
});

test("a runner ends by itself when the server that started it is killed", async () => {
  const other = await startDev();
  const runner = other.runnerPid();
  other.process.kill("SIGKILL");
  await eventually(() => {
    expect(() => process.kill(runner, 0)).toThrow("ESRCH");
  });
  await rm(other.dataDir, { recursive: true, force: true });
});

test("a runner without a token says what it needs", async () => {
  const run = await runCliHere(["runner"], {});
  expect(run.code).toBe(2);
  expect(run.stderr).toContain("MILLRACE_RUNNER_TOKEN");
});

import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { createServer, type Server } from "node:net";
import { tmpdir } from "node:os";
import path from "node:path";

import { afterAll, beforeAll, describe, expect, test } from "vitest";

import { runCliHere } from "../support/cli-here.ts";

let folder: string;

beforeAll(async () => {
  folder = await mkdtemp(path.join(tmpdir(), "millrace-usage-"));
});

afterAll(async () => {
  await rm(folder, { recursive: true, force: true });
});

const listening = async (server: Server): Promise<number> =>
  await new Promise((resolve) => {
    server.listen(0, "127.0.0.1", () => {
      const address = server.address();
      resolve(typeof address === "object" && address !== null ? address.port : 0);
    });
  });

/** A port at which nobody listens: it was free a moment ago. */
const freePort = async (): Promise<number> => {
  const server = createServer();
  const port = await listening(server);
  await new Promise((resolve) => server.close(resolve));
  return port;
};

/** No server is known there. */
const nowhere = () => ({ MILLRACE_DATA_DIR: path.join(folder, "none") });

const NO_TRACE = /\n\s+at /;

describe("a wrong command line ends with 2 and a sentence", () => {
  test.each([
    [["frobnicate"], "unknown command"],
    [["job", "get"], "missing required argument"],
    [["job", "list", "--output", "xml"], "Allowed choices are text, json"],
    [["job", "list", "--state", "ASLEEP"], "HELD, BLOCKED"],
    [["job", "submit"], "--script FILE or --type NAME"],
    [["job", "submit", "--type", "a", "--watch", "--wait"], "exclude each other"],
    [["job", "submit", "--type", "a", "--input", "{"], "is not JSON"],
    [["job", "submit", "--type", "a", "--input", "@missing.json"], "cannot be read"],
    [["job", "submit", "--type", "a", "--attempt-timeout", "soon"], "500ms, 30s"],
    [["job", "submit", "--type", "a", "--input", "1", "--input-file", "a=b"], "JSON object"],
    [["job", "list", "--url", "ftp://example.org"], "http or https"],
  ])("%j", async (args, told) => {
    const run = await runCliHere(args, nowhere());
    expect(run.code).toBe(2);
    expect(run.stderr).toContain(told);
    expect(run.stderr).not.toMatch(NO_TRACE);
    expect(run.stdout).toBe("");
  });
});

describe("a server that cannot be used ends with 4 and a next step", () => {
  test("none is known", async () => {
    const run = await runCliHere(["job", "list"], nowhere());
    expect(run.code).toBe(4);
    expect(run.stderr).toContain("millrace dev");
    expect(run.stderr).not.toMatch(NO_TRACE);
  });

  test("nobody listens", async () => {
    const url = `http://127.0.0.1:${await freePort()}`;
    const run = await runCliHere(["job", "list"], { MILLRACE_URL: url, MILLRACE_TOKEN: "x" });
    expect(run.code).toBe(4);
    expect(run.stderr).toContain(`The server at ${url} cannot be reached`);
    expect(run.stderr).not.toMatch(NO_TRACE);
  });

  test("the health check of nobody", async () => {
    const url = `http://127.0.0.1:${await freePort()}`;
    expect((await runCliHere(["healthcheck", "--url", url], {})).code).toBe(4);
  });

  test("the health check of somebody who never answers", async () => {
    const mute = createServer();
    const url = `http://127.0.0.1:${await listening(mute)}`;
    const run = await runCliHere(["healthcheck", "--url", url, "--timeout", "200ms"], {});
    mute.close();
    expect(run.code).toBe(4);
  });

  test("no token is known for a server that is not the local one", async () => {
    const credentials = {
      url: "http://127.0.0.1:1",
      internalUrl: "http://127.0.0.1:2",
      organizationId: "o",
      userId: "u",
      token: "secret",
      runnerToken: "r",
    };
    await writeFile(path.join(folder, "credentials.json"), JSON.stringify(credentials));
    const run = await runCliHere(
      ["job", "list", "--url", "http://127.0.0.1:3", "--data-dir", folder],
      {},
    );
    expect(run.code).toBe(4);
    expect(run.stderr).toContain("No token is known for http://127.0.0.1:3");
  });

  test("told as JSON to machines", async () => {
    const run = await runCliHere(
      ["job", "list", "--data-dir", `${folder}/none`, "--output", "json"],
      {},
    );
    expect(run.code).toBe(4);
    expect(JSON.parse(run.stderr)).toMatchObject({ error: { exitCode: 4 } });
  });
});

describe("help", () => {
  test.each([[[]], [["job"]], [["token"]]])("%j without a command shows the way", async (args) => {
    const run = await runCliHere(args, {});
    expect(run.stdout + run.stderr).toContain("Usage: millrace");
  });

  test.each([
    ["dev"],
    ["serve"],
    ["runner"],
    ["healthcheck"],
    ["migrate", "up"],
    ["token", "create"],
    ["job", "submit"],
    ["job", "watch"],
  ])("of %s %s has an example", async (...args) => {
    const run = await runCliHere([...args, "--help"], {});
    expect(run.code).toBe(0);
    expect(run.stdout).toContain("Examples:");
  });
});

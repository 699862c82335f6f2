import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";

import { createClient } from "@connectrpc/connect";
import { createGrpcTransport } from "@connectrpc/connect-node";
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, inject, it } from "vitest";

import { type Environment, loadConfig } from "../src/config.ts";
import { JobService } from "../src/gen/millrace/v1/job_service_pb.ts";
import { readCredentials } from "../src/identity/credentials-file.ts";
import { type RunningServer, startServer } from "../src/serve.ts";
import { createDatabase, type TestDatabase } from "./support/databases.ts";
import { bearer } from "./support/server.ts";

let dataDir: string;
const running: RunningServer[] = [];

beforeEach(async () => {
  dataDir = await mkdtemp(join(tmpdir(), "millrace-serve-"));
});
afterEach(async () => {
  for (const server of running.splice(0)) await server.stop();
  await rm(dataDir, { recursive: true });
});

const start = async (environment: Environment = {}): Promise<RunningServer> => {
  const server = await startServer(
    loadConfig({
      MILLRACE_DATA_DIR: dataDir,
      MILLRACE_LISTEN: "127.0.0.1:0",
      MILLRACE_INTERNAL_LISTEN: "127.0.0.1:0",
      MILLRACE_METRICS_LISTEN: "off",
      MILLRACE_LOG_LEVEL: "silent",
      MILLRACE_DRAIN_SECONDS: "1",
      ...environment,
    }),
  );
  running.push(server);
  return server;
};

const jobsOf = async ({ publicUrl }: RunningServer) => {
  const credentials = await readCredentials(dataDir);
  const interceptors = [bearer(credentials?.token ?? "")];
  return createClient(JobService, createGrpcTransport({ baseUrl: publicUrl, interceptors }));
};

describe("a server with no database named", () => {
  it("makes its own, and leaves credentials that work", async () => {
    const server = await start();
    expect(await readCredentials(dataDir)).toMatchObject({
      url: server.publicUrl,
      internalUrl: server.internalUrl,
    });
    expect((await (await jobsOf(server)).listJobs({})).jobs).toEqual([]);
  });

  it("finds its jobs again, and takes its own page tokens, after a restart", async () => {
    const first = await start();
    const spec = { work: { case: "script" as const, value: { source: "export default 1" } } };
    const before = await jobsOf(first);
    for (let count = 0; count < 2; count += 1) await before.submitJob({ spec });
    const { jobs, nextPageToken } = await before.listJobs({ pageSize: 1 });
    await first.stop();
    const after = await jobsOf(await start());
    const rest = await after.listJobs({ pageSize: 1, pageToken: nextPageToken });
    expect(rest.jobs).toHaveLength(1);
    expect(rest.jobs[0]?.id).not.toBe(jobs[0]?.id);
  });

  it("refuses a second server, and lets go of what that one had begun", async () => {
    const server = await start();
    await expect(start()).rejects.toThrow(/in use|another/i);
    await server.stop();
    await start();
  });

  it("whose port is taken does not start, and keeps nobody from starting", async () => {
    const other = await mkdtemp(join(tmpdir(), "millrace-serve-"));
    const server = await start({ MILLRACE_DATA_DIR: other });
    const MILLRACE_LISTEN = new URL(server.publicUrl).host;
    await expect(start({ MILLRACE_LISTEN })).rejects.toMatchObject({ code: "EADDRINUSE" });
    await start();
    await server.stop();
    await rm(other, { recursive: true });
  });

  it("stops once, however often it is asked", async () => {
    const server = await start();
    await Promise.all([server.stop(), server.stop()]);
    await server.stop();
  });
});

describe("a server on a database of MySQL", () => {
  let database: TestDatabase;
  beforeAll(async () => {
    database = await createDatabase("mysql", inject("mysqlUrl"));
  });
  afterAll(async () => {
    await database.drop();
  });

  it("refuses a schema that it does not know, and says what to do", async () => {
    await expect(start({ MILLRACE_DATABASE_URL: database.url })).rejects.toThrow(
      /millrace migrate up/,
    );
  });
});

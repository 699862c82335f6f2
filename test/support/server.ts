import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";

import { type Client, createClient, type Interceptor, type Transport } from "@connectrpc/connect";
import { createGrpcTransport, Http2SessionManager } from "@connectrpc/connect-node";
import type { DescService } from "@bufbuild/protobuf";

import { loadConfig } from "../../src/config.ts";
import { JobUpdateService } from "../../src/gen/millrace/internal/v1/job_update_service_pb.ts";
import { RunnerService } from "../../src/gen/millrace/internal/v1/runner_service_pb.ts";
import { JobTypeService } from "../../src/gen/millrace/v1/job_type_service_pb.ts";
import { JobService } from "../../src/gen/millrace/v1/job_service_pb.ts";
import { ScheduleService } from "../../src/gen/millrace/v1/schedule_service_pb.ts";
import { createToken } from "../../src/identity/create-token.ts";
import type { OrganizationId, UserId } from "../../src/jobs/ids.ts";
import { systemClock } from "../../src/runtime/clock.ts";
import { systemRandom } from "../../src/runtime/random.ts";
import { type RunningServer, startServer } from "../../src/serve.ts";
import { type OrganizationRow, STANDARD_LIMITS, type UserRow } from "../../src/store/store.ts";
import { copyTemplate } from "./templates.ts";

/** A user of an organization, with a token. */
export type TestUser = {
  readonly organizationId: OrganizationId;
  readonly userId: UserId;
  readonly token: string;
};

/** A whole server on a free port, with an organization `acme`, an admin of it, and a runner's token. */
export type TestServer = RunningServer & {
  readonly admin: TestUser;
  readonly runnerToken: string;
  readonly operatorToken: string;
  readonly jobs: Client<typeof JobService>;
  readonly schedules: Client<typeof ScheduleService>;
  readonly runners: Client<typeof RunnerService>;
  readonly updates: Client<typeof JobUpdateService>;
  schedulesOf(user: Pick<TestUser, "token">): Client<typeof ScheduleService>;
  /** JobService as that user calls it; at `url`, if it is not the server's own. */
  jobsOf(user: Pick<TestUser, "token">, url?: string): Client<typeof JobService>;
  /** Any public service, as whoever holds the token calls it. */
  clientOf<S extends DescService>(service: S, token: string): Client<S>;
  /** JobUpdateService as whoever holds the token calls it. */
  updatesOf(token: string): Client<typeof JobUpdateService>;
  readonly types: Client<typeof JobTypeService>;
  typesOf(user: Pick<TestUser, "token">): Client<typeof JobTypeService>;
  /** Registers types that run as handlers of their own names; the admin's, if nobody else is named. */
  putHandlers(names: readonly string[], by?: Pick<TestUser, "token">): Promise<void>;
  addOrganization(facts?: Partial<OrganizationRow>): Promise<OrganizationId>;
  addUser(organizationId: OrganizationId, permissions: UserRow["permissions"]): Promise<TestUser>;
};

export type TestServerOptions = {
  /** A database with the schema in place; a fresh SQLite file if absent. */
  readonly databaseUrl?: string;
  /** `acme` if absent; a second server on the same database needs another name. */
  readonly organization?: string;
  readonly environment?: Readonly<Record<string, string>>;
  /** Types of the organization `acme` that run as handlers of the same names; `idle` if absent. */
  readonly handlers?: readonly string[];
};

/** Sends `authorization: Bearer <token>` with every call. */
export const bearer =
  (token: string): Interceptor =>
  (next) =>
  async (request) => {
    request.header.set("authorization", `Bearer ${token}`);
    return await next(request);
  };

const addOrganization = async (
  { store }: RunningServer,
  facts: Partial<OrganizationRow> = {},
): Promise<OrganizationId> => {
  const id = systemRandom.uuid() as OrganizationId;
  await store.identity.insertOrganization({
    id,
    name: id,
    ...STANDARD_LIMITS,
    createdAt: systemClock.now(),
    ...facts,
  });
  return facts.id ?? id;
};

const maker = ({ store }: RunningServer) => ({
  identity: store.identity,
  clock: systemClock,
  random: systemRandom,
});

const addUser = async (
  server: RunningServer,
  organizationId: OrganizationId,
  permissions: UserRow["permissions"],
): Promise<TestUser> => {
  const userId = systemRandom.uuid() as UserId;
  const createdAt = systemClock.now();
  await server.store.identity.insertUser({
    id: userId,
    organizationId,
    name: userId,
    permissions,
    disabledAt: null,
    createdAt,
  });
  const subject = { kind: "user" as const, organizationId, userId };
  const { text } = await createToken(maker(server), { ...subject, name: "test", expiresAt: null });
  return { organizationId, userId, token: text };
};

export const startTestServer = async (options: TestServerOptions = {}): Promise<TestServer> => {
  const stack = new AsyncDisposableStack();
  const dataDir = await mkdtemp(join(tmpdir(), "millrace-test-"));
  stack.defer(async () => await rm(dataDir, { recursive: true, force: true }));
  if (options.databaseUrl === undefined) await copyTemplate(join(dataDir, "millrace.db"));
  const config = loadConfig({
    MILLRACE_DATABASE_URL: options.databaseUrl ?? `sqlite:${dataDir}/millrace.db`,
    MILLRACE_DATA_DIR: dataDir,
    MILLRACE_LISTEN: "127.0.0.1:0",
    MILLRACE_INTERNAL_LISTEN: "127.0.0.1:0",
    MILLRACE_METRICS_LISTEN: "off",
    MILLRACE_LOG_LEVEL: "silent",
    MILLRACE_DRAIN_SECONDS: "2",
    ...options.environment,
  });
  const sessions = new Map<string, Http2SessionManager>();
  stack.defer(() => {
    for (const session of sessions.values()) session.abort();
  });
  const server = await startServer(config);
  stack.defer(async () => await server.stop());

  const transportTo = (baseUrl: string, token: string): Transport => {
    const sessionManager = sessions.get(baseUrl) ?? new Http2SessionManager(baseUrl);
    sessions.set(baseUrl, sessionManager);
    return createGrpcTransport({ baseUrl, sessionManager, interceptors: [bearer(token)] });
  };
  const clientOf = <S extends DescService>(service: S, url: string, token: string): Client<S> =>
    createClient(service, transportTo(url, token));

  const admin = await addUser(
    server,
    await addOrganization(server, { name: options.organization ?? "acme" }),
    ["admin"],
  );
  const runner = { kind: "runner" as const, name: "test", expiresAt: null };
  const { text: runnerToken } = await createToken(maker(server), runner);
  const operator = { kind: "operator" as const, name: "test", expiresAt: null };
  const { text: operatorToken } = await createToken(maker(server), operator);
  const typesOf: TestServer["typesOf"] = ({ token }) =>
    clientOf(JobTypeService, server.publicUrl, token);
  const putHandlers: TestServer["putHandlers"] = async (names, by = admin) => {
    for (const name of names) {
      await typesOf(by).putJobType({ spec: { name, work: { case: "handler", value: {} } } });
    }
  };
  await putHandlers(options.handlers ?? ["idle"]);
  return {
    ...server,
    admin,
    types: typesOf(admin),
    typesOf,
    putHandlers,
    runnerToken,
    operatorToken,
    clientOf: (service, token) => clientOf(service, server.publicUrl, token),
    jobs: clientOf(JobService, server.publicUrl, admin.token),
    schedules: clientOf(ScheduleService, server.publicUrl, admin.token),
    runners: clientOf(RunnerService, server.internalUrl, runnerToken),
    updates: clientOf(JobUpdateService, server.internalUrl, runnerToken),
    schedulesOf: ({ token }) => clientOf(ScheduleService, server.publicUrl, token),
    jobsOf: ({ token }, url = server.publicUrl) => clientOf(JobService, url, token),
    updatesOf: (token) => clientOf(JobUpdateService, server.internalUrl, token),
    addOrganization: async (facts) => await addOrganization(server, facts),
    addUser: async (organizationId, permissions) =>
      await addUser(server, organizationId, permissions),
    stop: async () => await stack.disposeAsync(),
  };
};

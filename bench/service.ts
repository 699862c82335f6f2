import { createClient, type Client, type Interceptor, type Transport } from "@connectrpc/connect";
import { createGrpcTransport } from "@connectrpc/connect-node";

import { Health } from "../src/gen/grpc/health/v1/health_pb.ts";
import { JobService } from "../src/gen/millrace/v1/job_service_pb.ts";
import { JobTypeService } from "../src/gen/millrace/v1/job_type_service_pb.ts";
import { openStore } from "../src/store/open.ts";
import type { Store } from "../src/store/store.ts";
import { createDatabase } from "../test/support/databases.ts";
import { startMariadb } from "../test/support/mariadb.ts";
import { ServerProcess } from "../test/support/processes.ts";
import { prepareSite, type Site } from "../test/support/site.ts";

export type EngineName = "sqlite" | "mariadb";

export type Service = {
  readonly engine: EngineName;
  readonly site: Site;
  readonly internalUrl: string;
  /** Of the server's process. */
  readonly pid: () => number;
  readonly jobs: Client<typeof JobService>;
  readonly health: Client<typeof Health>;
  /** Registers a type that runs as a handler of its name; in another organization with its token. */
  putHandler(name: string, token?: string): Promise<void>;
  /** A client of another organization. */
  clientOf(token: string): Client<typeof JobService>;
  /** Stops the server, works on its database, and starts it again. */
  whileStopped<T>(work: (store: Store) => Promise<T>): Promise<T>;
  stop(): Promise<void>;
};

const MAX_RUNNING = 10_000;

const authorize =
  (token: string): Interceptor =>
  (next) =>
  async (request) => {
    request.header.set("authorization", `Bearer ${token}`);
    return await next(request);
  };

type ServiceOptions = {
  readonly maxRunning?: number;
  /** Of the server's process, beside its own. */
  readonly environment?: Readonly<Record<string, string>>;
};

/** A server of its own process on an empty database of the engine, with full durability. */
export const startService = async (
  engine: EngineName,
  { maxRunning = MAX_RUNNING, environment = {} }: ServiceOptions = {},
): Promise<Service> => {
  const mariadb = engine === "mariadb" ? await startMariadb() : null;
  const database =
    mariadb === null
      ? await createDatabase("sqlite", "")
      : await createDatabase("mysql", mariadb.url);
  const site = await prepareSite(database.url, maxRunning);
  const server = await ServerProcess.at(site, environment);
  await server.start();
  const transportFor = (token: string): Transport =>
    createGrpcTransport({
      baseUrl: server.addresses.publicUrl,
      interceptors: [authorize(token)],
    });
  const transport = transportFor(site.token);
  return {
    engine,
    site,
    internalUrl: server.addresses.internalUrl,
    pid: () => server.pid,
    jobs: createClient(JobService, transport),
    health: createClient(Health, transport),
    putHandler: async (name, token = site.token) => {
      const spec = { name, work: { case: "handler" as const, value: {} } };
      await createClient(JobTypeService, transportFor(token)).putJobType({ spec });
    },
    clientOf: (token) => createClient(JobService, transportFor(token)),
    whileStopped: async (work) => {
      await server.kill("SIGTERM");
      const store = await openStore(database.url);
      try {
        return await work(store);
      } finally {
        await store.close();
        await server.start();
      }
    },
    stop: async () => {
      await server.kill("SIGTERM");
      await database.drop();
      await mariadb?.stop();
    },
  };
};

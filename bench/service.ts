import { createClient, type Client, type Interceptor } from "@connectrpc/connect";
import { createGrpcTransport } from "@connectrpc/connect-node";

import { Health } from "../src/gen/grpc/health/v1/health_pb.ts";
import { JobService } from "../src/gen/millrace/v1/job_service_pb.ts";
import { JobTypeService } from "../src/gen/millrace/v1/job_type_service_pb.ts";
import { createDatabase } from "../test/support/databases.ts";
import { startMariadb } from "../test/support/mariadb.ts";
import { ServerProcess } from "../test/support/processes.ts";
import { prepareSite, type Site } from "../test/support/site.ts";

export type EngineName = "sqlite" | "mariadb";

export type Service = {
  readonly engine: EngineName;
  readonly site: Site;
  readonly internalUrl: string;
  readonly jobs: Client<typeof JobService>;
  readonly health: Client<typeof Health>;
  /** Registers a type that runs as a handler of its name. */
  putHandler(name: string): Promise<void>;
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

/** A server of its own process on an empty database of the engine, with full durability. */
export const startService = async (engine: EngineName): Promise<Service> => {
  const mariadb = engine === "mariadb" ? await startMariadb() : null;
  const database =
    mariadb === null
      ? await createDatabase("sqlite", "")
      : await createDatabase("mysql", mariadb.url);
  const site = await prepareSite(database.url, MAX_RUNNING);
  const server = await ServerProcess.at(site);
  await server.start();
  const transport = createGrpcTransport({
    baseUrl: server.addresses.publicUrl,
    interceptors: [authorize(site.token)],
  });
  return {
    engine,
    site,
    internalUrl: server.addresses.internalUrl,
    jobs: createClient(JobService, transport),
    health: createClient(Health, transport),
    putHandler: async (name) => {
      const spec = { name, work: { case: "handler" as const, value: {} } };
      await createClient(JobTypeService, transport).putJobType({ spec });
    },
    stop: async () => {
      await server.kill("SIGTERM");
      await database.drop();
      await mariadb?.stop();
    },
  };
};

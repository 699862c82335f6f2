import type { EngineName, TestDatabase } from "./databases.ts";
import { startTestServer, type TestServer, type TestServerOptions } from "./server.ts";
import { createMigrated } from "./templates.ts";

/** A whole server on a database of its own, of either engine; dropped when the server stops. */
export const startServerOn = async (
  engine: EngineName,
  options: Omit<TestServerOptions, "databaseUrl"> = {},
): Promise<TestServer & { readonly database: TestDatabase }> => {
  const database = await createMigrated(engine);
  const server = await startTestServer({ ...options, databaseUrl: database.url });
  return {
    ...server,
    database,
    stop: async () => {
      await server.stop();
      await database.drop();
    },
  };
};

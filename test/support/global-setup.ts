/** One database server for the whole run. */
import type { TestProject } from "vitest/node";

import { startMariadb } from "./mariadb.ts";

declare module "vitest" {
  interface ProvidedContext {
    /** Where `createDatabase("mysql", …)` makes its databases. */
    mysqlUrl: string;
  }
}

export const setup = async (project: TestProject): Promise<() => Promise<void>> => {
  const server = await startMariadb();
  project.provide("mysqlUrl", server.url);
  return server.stop;
};

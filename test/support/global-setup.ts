/** One database server for the whole run, and what the tests' databases are copied from. */
import type { TestProject } from "vitest/node";

import { startMariadb } from "./mariadb.ts";
import { createTemplates, type Templates } from "./templates.ts";

declare module "vitest" {
  interface ProvidedContext {
    /** Where `createDatabase("mysql", …)` makes its databases. */
    mysqlUrl: string;
    templates: Templates;
  }
}

export const setup = async (project: TestProject): Promise<() => Promise<void>> => {
  const server = await startMariadb();
  const { templates, drop } = await createTemplates(server.url);
  project.provide("mysqlUrl", server.url);
  project.provide("templates", templates);
  return async () => {
    await drop();
    await server.stop();
  };
};

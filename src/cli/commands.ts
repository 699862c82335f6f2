import type { Register } from "./program.ts";

/** In the order in which a newcomer meets them. */
const COMMANDS: Readonly<Record<string, () => Promise<Register>>> = {
  dev: async () => (await import("./dev.ts")).registerDev,
  serve: async () => (await import("./serve.ts")).registerServe,
  runner: async () => (await import("./runner.ts")).registerRunner,
  migrate: async () => (await import("./migrate.ts")).registerMigrate,
  bootstrap: async () => (await import("./bootstrap.ts")).registerBootstrap,
  organization: async () => (await import("./organization/command.ts")).registerOrganization,
  user: async () => (await import("./user/command.ts")).registerUser,
  token: async () => (await import("./token/command.ts")).registerToken,
  job: async () => (await import("./job/command.ts")).registerJob,
  workflow: async () => (await import("./workflow/command.ts")).registerWorkflow,
  type: async () => (await import("./type/command.ts")).registerType,
  types: async () => (await import("./type/apply.ts")).registerTypes,
  schedule: async () => (await import("./schedule/command.ts")).registerSchedule,
  hook: async () => (await import("./hook/command.ts")).registerHook,
  metrics: async () => (await import("./metrics/command.ts")).registerMetrics,
  delivery: async () => (await import("./delivery/command.ts")).registerDelivery,
  "signing-secret": async () => (await import("./signing-secret/command.ts")).registerSigningSecret,
  healthcheck: async () => (await import("./healthcheck.ts")).registerHealthcheck,
};

/**
 * The command that the arguments name; all of them if they name none, as those do that ask for help.
 * Most of a start is the loading of modules, and the modules of one command are half of all.
 */
export const commandsFor = async (args: readonly string[]): Promise<readonly Register[]> => {
  const [name = ""] = args;
  const load = Object.hasOwn(COMMANDS, name) ? COMMANDS[name] : undefined;
  const loads = load === undefined ? Object.values(COMMANDS) : [load];
  return await Promise.all(loads.map(async (each) => await each()));
};

import { registerBootstrap } from "./bootstrap.ts";
import { registerDelivery } from "./delivery/command.ts";
import { registerDev } from "./dev.ts";
import { registerHealthcheck } from "./healthcheck.ts";
import { registerJob } from "./job/command.ts";
import { registerMigrate } from "./migrate.ts";
import { registerMetrics } from "./metrics/command.ts";
import { registerOrganization } from "./organization/command.ts";
import type { Register } from "./program.ts";
import { registerRunner } from "./runner.ts";
import { registerServe } from "./serve.ts";
import { registerHook } from "./hook/command.ts";
import { registerSchedule } from "./schedule/command.ts";
import { registerSigningSecret } from "./signing-secret/command.ts";
import { registerType } from "./type/command.ts";
import { registerTypes } from "./type/apply.ts";
import { registerToken } from "./token/command.ts";
import { registerUser } from "./user/command.ts";
import { registerWorkflow } from "./workflow/command.ts";

/** In the order in which a newcomer meets them. */
export const COMMANDS: readonly Register[] = [
  registerDev,
  registerServe,
  registerRunner,
  registerMigrate,
  registerBootstrap,
  registerOrganization,
  registerUser,
  registerToken,
  registerJob,
  registerWorkflow,
  registerType,
  registerTypes,
  registerSchedule,
  registerHook,
  registerMetrics,
  registerDelivery,
  registerSigningSecret,
  registerHealthcheck,
];

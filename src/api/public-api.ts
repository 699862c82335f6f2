import type { RequestListener } from "node:http";

import type { Identity } from "../identity/identity.ts";
import type { AddressOf } from "./address.ts";
import type { CallObserver } from "./calls.ts";
import { healthRoutes } from "./health.ts";
import type { HookApi } from "./hook-service/api.ts";
import { hookServiceRoutes } from "./hook-service/routes.ts";
import { jobServiceRoutes } from "./job-service/routes.ts";
import { organizationServiceRoutes } from "./organization-service/routes.ts";
import type { MetricsApi } from "./metrics-service/api.ts";
import { publicMetrics } from "./metrics-service/public.ts";
import { metricsServiceRoutes } from "./metrics-service/routes.ts";
import type { JobTypeApi } from "./job-type-service/api.ts";
import { jobTypeServiceRoutes } from "./job-type-service/routes.ts";
import { plainRoutes } from "./plain-routes.ts";
import type { Readiness } from "./readiness.ts";
import { reflectionRoutes } from "./reflection.ts";
import type { ScheduleApi } from "./schedule-service/api.ts";
import { scheduleServiceRoutes } from "./schedule-service/routes.ts";
import { createRpcHandler, servicesOf } from "./rpc-handler.ts";
import type { TenantApi } from "./scope.ts";
import type { TokenApi } from "./token-service/api.ts";
import { tokenServiceRoutes } from "./token-service/routes.ts";
import { userServiceRoutes } from "./user-service/routes.ts";

export type PublicApiOptions = {
  readonly addressOf: AddressOf;
  readonly observer: CallObserver;
  readonly identity: Identity;
  readonly readiness: Readiness;
  readonly jobs: JobTypeApi;
  readonly tenants: TenantApi;
  readonly tokens: TokenApi;
  readonly schedules: ScheduleApi;
  readonly hooks: HookApi;
  readonly metrics: MetricsApi;
};

/** What the public listener serves. */
export const createPublicApi = (options: PublicApiOptions): RequestListener => {
  const { addressOf, observer, identity, readiness } = options;
  const { jobs, tenants, tokens, schedules, hooks, metrics } = options;
  const { clock, log } = observer;
  const plain = plainRoutes(readiness, true);
  return createRpcHandler({
    addressOf,
    observer,
    identity,
    shutdown: jobs.shutdown,
    fallback: publicMetrics(metrics, { clock, log, addressOf }, plain),
    routes: (router) => {
      jobServiceRoutes(router, jobs);
      organizationServiceRoutes(router, tenants);
      userServiceRoutes(router, tenants);
      tokenServiceRoutes(router, tokens);
      scheduleServiceRoutes(router, schedules);
      hookServiceRoutes(router, hooks);
      metricsServiceRoutes(router, metrics);
      jobTypeServiceRoutes(router, jobs);
      healthRoutes(router, servicesOf(router), { readiness, clock });
      reflectionRoutes(router, servicesOf(router));
    },
  });
};

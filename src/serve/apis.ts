import type { HookApi } from "../api/hook-service/api.ts";
import type { JobTypeApi } from "../api/job-type-service/api.ts";
import { createKnownGrants, type MetricsApi } from "../api/metrics-service/api.ts";
import type { ScheduleApi } from "../api/schedule-service/api.ts";
import type { TenantApi } from "../api/scope.ts";
import type { Seal } from "../api/sealed-token.ts";
import type { TokenApi } from "../api/token-service/api.ts";
import type { JobTypes } from "../catalog/job-types.ts";
import type { SchemaChecker } from "../catalog/schema/checker.ts";
import type { ScriptCompiler } from "../catalog/script/compiler.ts";
import type { Cluster } from "../cluster/cluster.ts";
import type { Identity } from "../identity/identity.ts";
import type { Receivers } from "../outgoing/receivers.ts";
import type { Clock } from "../runtime/clock.ts";
import type { Random } from "../runtime/random.ts";
import type { Store } from "../store/store.ts";

export type ApiParts = {
  readonly store: Store;
  readonly cluster: Cluster;
  readonly identity: Identity;
  readonly types: JobTypes;
  readonly schemas: SchemaChecker;
  readonly scripts: ScriptCompiler;
  readonly seal: Seal;
  readonly receivers: Receivers;
  readonly clock: Clock;
  readonly random: Random;
  /** Aborted when the public listener stops. */
  readonly shutdown: AbortSignal;
};

/** What the handlers of each public service work with. */
export type Apis = {
  readonly jobs: JobTypeApi;
  readonly tenants: TenantApi;
  readonly tokens: TokenApi;
  readonly schedules: ScheduleApi;
  readonly hooks: HookApi;
  readonly metrics: MetricsApi;
};

/** Puts together what is there. Nothing is started: nothing has to be stopped. */
export const createApis = (parts: ApiParts): Apis => {
  const { store, cluster, identity, types, schemas, scripts, seal, receivers } = parts;
  const { clock, random, shutdown } = parts;
  const { router } = cluster;
  const newId = random.uuid;
  const jobs: JobTypeApi = {
    router,
    jobs: store.jobs,
    workflows: store.workflows,
    users: identity.users,
    clock,
    newId,
    scripts,
    catalog: store.catalog,
    types,
    schemas,
    seal,
    receivers,
    shutdown,
  };
  const { authenticator, tokenRevoked, userChanged } = identity;
  const tenants: TenantApi = { router, identity: store.identity, clock, newId, seal, userChanged };
  const grants = createKnownGrants(tenants, store.metrics);
  return {
    jobs,
    tenants,
    tokens: { ...tenants, authenticator, random, jobs: store.jobs, tokenRevoked },
    schedules: { jobs, schedules: store.schedules },
    hooks: { jobs, hooks: store.hooks, deliveries: store.deliveries, random },
    metrics: { tenants, metrics: store.metrics, grants },
  };
};

import { hostname } from "node:os";

import { submitHookJob } from "./api/hook-service/submission.ts";
import { addressBehind } from "./api/address.ts";
import { createInternalApi } from "./api/internal-api.ts";
import { createListener, type Listener } from "./api/listener.ts";
import { createPublicApi } from "./api/public-api.ts";
import { putTypeFiles } from "./api/job-type-service/put-files.ts";
import { createReadiness } from "./api/readiness.ts";
import { prepareFiring } from "./api/schedule-service/submission.ts";
import { createSeal } from "./api/sealed-token.ts";
import { createShutdown } from "./api/shutdown.ts";
import { createInputCheck } from "./catalog/input-check.ts";
import { createJobTypes } from "./catalog/job-types.ts";
import { createSchemaChecker } from "./catalog/schema/checker.ts";
import { createScriptCompiler } from "./catalog/script/compiler.ts";
import { createCluster } from "./cluster/cluster.ts";
import { type Address, type ServerConfig, serverIdOf } from "./config.ts";
import { createDeliveries } from "./delivery/deliveries.ts";
import { NO_TRACES } from "./delivery/traces.ts";
import { bootstrapDevelopment } from "./identity/development.ts";
import { createIdentity } from "./identity/identity.ts";
import { systemClock } from "./runtime/clock.ts";
import { heardAll } from "./runtime/event-loop.ts";
import { systemRandom } from "./runtime/random.ts";
import { createFiring } from "./schedules/firing.ts";
import { createApis } from "./serve/apis.ts";
import { openDatabase } from "./serve/database.ts";
import { urlOf } from "./serve/url.ts";
import type { Store } from "./store/store.ts";
import { createDeliveryTraces } from "./telemetry/delivery-traces.ts";
import { createMeters } from "./telemetry/meters.ts";
import { observeShards } from "./telemetry/observe-shards.ts";
import { TURN_BOUNDS } from "./shard/turn-bounds.ts";
import { createShardObserver } from "./telemetry/shard-observer.ts";
import { createShardSpans, NO_SPANS } from "./telemetry/shard-spans.ts";
import { SERVER_TABLE } from "./telemetry/tables/server.ts";
import { startTelemetry } from "./telemetry/telemetry.ts";

/** A server that serves. */
export type RunningServer = {
  readonly publicUrl: string;
  readonly internalUrl: string;
  /** For those in the same process: SQLite lets nobody else in. */
  readonly store: Store;
  /** Drains and stops everything, in the reverse order of the start. */
  stop(): Promise<void>;
};

const SERVICE = "millrace";
const KEY_BYTES = 32;

/**
 * The composition of the server: everything is made and started here, and stopped in reverse.
 * The listeners are bound first, for their ports are part of what is told to others, and answer
 * 503 until all is ready.
 */
export const startServer = async (config: ServerConfig): Promise<RunningServer> => {
  const stack = new AsyncDisposableStack();
  try {
    return await start(config, stack);
  } catch (cause) {
    await stack.disposeAsync();
    throw cause;
  }
};

const start = async (config: ServerConfig, stack: AsyncDisposableStack): Promise<RunningServer> => {
  const [clock, random] = [systemClock, systemRandom];
  const telemetry = await startTelemetry({
    service: SERVICE,
    instance: serverIdOf(config, config.internalListen.port),
    logLevel: config.logLevel,
    metricsListen: config.metricsListen,
    metricsVariable: "MILLRACE_METRICS_LISTEN",
    otel: config.otel,
  });
  stack.defer(async () => await telemetry.stop());
  const { log, tracer, traces } = telemetry;
  const meters = createMeters(telemetry.meter, SERVER_TABLE);

  const store = await openDatabase(config, log);
  stack.defer(async () => await store.close());
  const seal = createSeal(await store.secrets.keep("token-seal", random.secret(KEY_BYTES)));

  const bind = async (address: Address): Promise<Listener> => {
    const listener = createListener({ ...address, clock, log, drainMs: config.drainMs });
    await listener.start();
    return stack.adopt(listener, async () => await listener.stop());
  };
  const internal = await bind(config.internalListen);
  const external = await bind(config.listen);
  const publicUrl = urlOf(external.address(), "127.0.0.1");
  const internalUrl = config.internalUrl ?? urlOf(internal.address(), hostname());

  const schemas = createSchemaChecker(clock);
  stack.defer(async () => await schemas.stop());
  const types = createJobTypes({
    catalog: store.catalog,
    clock,
    newId: random.uuid,
    changed: async (organizationId) => await cluster.refresh([organizationId]),
  });
  const checkInput = createInputCheck({ types, schemas });
  const cluster = createCluster({
    store,
    clock,
    random,
    log,
    observer: createShardObserver(meters, traces ? createShardSpans(tracer) : NO_SPANS),
    bounds: TURN_BOUNDS,
    gather: heardAll,
    serverId: serverIdOf(config, internal.address().port),
    internalUrl,
    checkInput,
    onDeliveries: (shardId, rows) => {
      deliveries.noticed(shardId, rows);
    },
  });
  const deliveries = createDeliveries({
    store,
    router: cluster.router,
    owned: () => cluster.owned(),
    receivers: config.callbacks.receivers,
    limits: config.callbacks,
    submitJob: async (...notice) => await submitHookJob(apis.hooks)(...notice),
    traces: traces ? createDeliveryTraces(tracer) : NO_TRACES,
    drainMs: config.drainMs,
    clock,
    random,
    log,
  });
  await cluster.start();
  stack.defer(async () => await cluster.stop());
  observeShards(meters, () => ({
    stats: cluster.stats(),
    known: cluster.size(),
    noticesDueSince: deliveries.dueSince(),
    now: clock.now(),
  }));

  if (config.development) {
    const { identity } = store;
    const { dataDir } = config;
    await bootstrapDevelopment({ identity, clock, random, dataDir, url: publicUrl, internalUrl });
  }

  const observer = { clock, log, meters, tracer };
  const { router, hub, serverUrls } = cluster;
  const identity = createIdentity({
    store,
    clock,
    random,
    log,
    shardOf: router.shardOf,
    outsideIssuer: config.outsideIssuer,
    onOrganizations: (ids) => {
      void cluster.refresh(ids);
    },
  });
  await identity.start();
  stack.defer(async () => await identity.stop());
  const readiness = createReadiness({
    ping: async () => {
      await store.ping();
      if (!cluster.keepsLeases()) throw new Error("the database cannot be written");
    },
    clock,
    log,
  });
  const scripts = createScriptCompiler(clock);
  stack.defer(async () => await scripts.stop());
  const shutdown = { internal: createShutdown(), external: createShutdown() };
  const apis = createApis({
    store,
    cluster,
    identity,
    types,
    schemas,
    scripts,
    seal,
    receivers: config.callbacks.receivers,
    clock,
    random,
    shutdown: shutdown.external.signal,
  });
  internal.serve(
    createInternalApi({
      observer,
      identity,
      readiness,
      runners: {
        hub,
        router,
        jobs: store.jobs,
        catalog: store.catalog,
        mint: identity.jobTokens.mint,
        serverUrls,
        children: {
          ...apis.jobs,
          jobTokens: identity.jobTokens,
          shutdown: shutdown.internal.signal,
        },
      },
      shutdown: shutdown.internal.signal,
    }),
  );
  if (config.typesDir !== null) {
    const { typesDir: folder, typesOrganization: organization } = config;
    const options = { api: apis.jobs, identity: store.identity, folder, organization };
    const newVersions = await putTypeFiles(options);
    log.info({ folder, newVersions }, "the types of the folder are in place");
  }
  external.serve(
    createPublicApi({
      ...apis,
      addressOf: addressBehind(config.trustedProxies),
      observer,
      identity,
      readiness,
    }),
  );
  const firing = createFiring({
    schedules: store.schedules,
    router,
    owned: () => cluster.owned(),
    prepare: prepareFiring(apis.schedules),
    clock,
    log,
  });
  await firing.start();
  stack.defer(async () => await firing.stop());
  await deliveries.start();
  stack.defer(async () => await deliveries.stop());
  log.info({ publicUrl, internalUrl, engine: store.engine }, "serving");

  const stop = async (): Promise<void> => {
    log.info({}, "stopping");
    readiness.drain();
    shutdown.external.begin();
    // What is on its way to receivers comes to its end beside the calls.
    await Promise.all([external.stop(), deliveries.stop()]);
    // Until here runners could report; what they could not, they tell the next server.
    shutdown.internal.begin();
    await internal.stop();
    await stack.disposeAsync();
  };
  let stopped: Promise<void> | undefined;
  return {
    publicUrl,
    internalUrl,
    store,
    stop: async () => {
      stopped ??= stop();
      await stopped;
    },
  };
};

import type { RequestListener } from "node:http";

import type { Identity } from "../identity/identity.ts";
import { addressOfPeer } from "./address.ts";
import type { CallObserver } from "./calls.ts";
import { healthRoutes } from "./health.ts";
import { jobUpdateServiceRoutes } from "./internal/job-update-service.ts";
import { type RunnerApi, runnerServiceRoutes } from "./internal/runner-service.ts";
import { plainRoutes } from "./plain-routes.ts";
import type { Readiness } from "./readiness.ts";
import { createRpcHandler, servicesOf } from "./rpc-handler.ts";

export type InternalApiOptions = {
  readonly observer: CallObserver;
  readonly identity: Identity;
  readonly readiness: Readiness;
  readonly runners: RunnerApi;
  readonly shutdown: AbortSignal;
};

/** What the internal listener serves: to runners, and to probes. */
export const createInternalApi = (options: InternalApiOptions): RequestListener => {
  const { observer, identity, readiness, runners, shutdown } = options;
  return createRpcHandler({
    addressOf: addressOfPeer,
    observer,
    identity,
    shutdown,
    fallback: plainRoutes(readiness, false),
    routes: (router) => {
      runnerServiceRoutes(router, runners);
      const { clock, tracer } = observer;
      jobUpdateServiceRoutes(router, { router: runners.router, clock, tracer });
      healthRoutes(router, servicesOf(router), { readiness, clock: observer.clock });
    },
  });
};

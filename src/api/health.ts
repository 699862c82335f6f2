import type { DescService } from "@bufbuild/protobuf";
import { Code, ConnectError, type ConnectRouter, type HandlerContext } from "@connectrpc/connect";

import {
  Health,
  HealthCheckResponse_ServingStatus as Status,
} from "../gen/grpc/health/v1/health_pb.ts";
import { type Clock, sleep } from "../runtime/clock.ts";
import type { Readiness } from "./readiness.ts";

const LOOK_EVERY_MS = 1_000;

export type HealthOptions = { readonly readiness: Readiness; readonly clock: Clock };

/** grpc.health.v1 for the server (the empty name) and for each of its services: they stand and fall together. */
export const healthRoutes = (
  router: ConnectRouter,
  services: readonly DescService[],
  { readiness, clock }: HealthOptions,
): void => {
  const names = new Set(["", ...services.map(({ typeName }) => typeName)]);
  const status = async (): Promise<Status> =>
    (await readiness.whyNot()) === null ? Status.SERVING : Status.NOT_SERVING;

  async function* watch(service: string, { signal }: HandlerContext) {
    let last: Status | undefined;
    for (;;) {
      const now = names.has(service) ? await status() : Status.SERVICE_UNKNOWN;
      if (now !== last) yield { status: now };
      last = now;
      await sleep(clock, LOOK_EVERY_MS, signal);
    }
  }

  router.service(Health, {
    check: async ({ service }) => {
      if (!names.has(service))
        throw new ConnectError(`There is no service ${service}.`, Code.NotFound);
      return { status: await status() };
    },
    list: async () => {
      const now = await status();
      return { statuses: Object.fromEntries([...names].map((name) => [name, { status: now }])) };
    },
    watch: ({ service }, context) => watch(service, context),
  });
};

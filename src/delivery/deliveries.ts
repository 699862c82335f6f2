import type { DeliveryRow } from "../jobs/delivery.ts";
import { systemNetwork } from "../outgoing/network.ts";
import { createPoster } from "../outgoing/post.ts";
import type { Receivers } from "../outgoing/receivers.ts";
import type { ShardId, Store } from "../store/store.ts";
import { type AttemptOptions, createAttempt } from "./attempt.ts";
import { createDispatcher, type Dispatcher, type DispatcherOptions } from "./dispatcher.ts";
import { createPassOver } from "./pass-over.ts";

export type DeliveriesOptions = Pick<AttemptOptions, "router" | "submitJob" | "random" | "traces"> &
  Pick<DispatcherOptions, "owned" | "limits" | "drainMs" | "clock" | "log"> & {
    readonly store: Pick<Store, "deliveries" | "jobs">;
    readonly receivers: Receivers;
  };

/** Everything that sends notices, over the network of this machine. */
export const createDeliveries = (options: DeliveriesOptions): Dispatcher => {
  const { store, receivers, clock, limits } = options;
  const connections = limits.atOncePerReceiver;
  const poster = createPoster({ receivers, network: systemNetwork(), clock, connections });
  const { post } = poster;
  const attempt = createAttempt({
    ...options,
    deliveries: store.deliveries,
    jobs: store.jobs,
    post,
  });
  const dispatcher = createDispatcher({
    ...options,
    store: store.deliveries,
    attempt,
    passOver: createPassOver(options.router),
  });
  return {
    start: async () => {
      await dispatcher.start();
    },
    stop: async () => {
      await dispatcher.stop();
      await poster.stop();
    },
    noticed: (shardId: ShardId, deliveries: readonly DeliveryRow[]) => {
      dispatcher.noticed(shardId, deliveries);
    },
    dueSince: dispatcher.dueSince,
  };
};

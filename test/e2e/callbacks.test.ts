import { createClient } from "@connectrpc/connect";
import { createGrpcTransport } from "@connectrpc/connect-node";
import { expect, test } from "vitest";

import { DeliveryState, HookService } from "../../src/gen/millrace/v1/hook_service_pb.ts";
import { CallbackState } from "../../src/gen/millrace/v1/job_pb.ts";
import { JobService } from "../../src/gen/millrace/v1/job_service_pb.ts";
import { systemClock } from "../../src/runtime/clock.ts";
import { ENGINES } from "../support/databases.ts";
import { eventually } from "../support/eventually.ts";
import { ServerProcess } from "../support/processes.ts";
import { startReceiver } from "../support/receiver.ts";
import { bearer } from "../support/server.ts";
import { prepareSite, type Site } from "../support/site.ts";
import { createMigrated } from "../support/templates.ts";

const clientsOf = (server: ServerProcess, { token }: Pick<Site, "token">) => {
  const baseUrl = server.addresses.publicUrl;
  const transport = createGrpcTransport({ baseUrl, interceptors: [bearer(token)] });
  return {
    jobs: createClient(JobService, transport),
    hooks: createClient(HookService, transport),
  };
};

/** A job that has ended, and owes its callback there. */
const owe = async ({ jobs }: ReturnType<typeof clientsOf>, url: string): Promise<string> => {
  const { job } = await jobs.submitJob({
    spec: {
      work: { case: "script", value: { source: "export default () => 1" } },
      runAt: { seconds: BigInt(Math.floor(systemClock.now() / 1_000) + 3_600) },
      callback: { url },
    },
  });
  const jobId = job?.id ?? "";
  await jobs.cancelJob({ jobId });
  return jobId;
};

test.concurrent.each(ENGINES)(
  "a server that is killed after it sent, and before it wrote that down, sends again under the same id, on %s",
  async (engine) => {
    const database = await createMigrated(engine);
    const site = await prepareSite(database.url);
    const receiver = await startReceiver();
    // The first message is heard, and never answered.
    receiver.answer("/", (_, count) => (count === 1 ? "silence" : { status: 200 }));
    const server = await ServerProcess.at(site, { MILLRACE_CALLBACK_ALLOW: "127.0.0.1" });
    try {
      await server.start();
      const { jobs, hooks } = clientsOf(server, site);
      const jobId = await owe({ jobs, hooks }, `${receiver.url}/`);
      await receiver.until("/", 1);
      await server.kill("SIGKILL");
      await server.start();

      const heard = await receiver.until("/", 2);
      expect(heard[0]?.id).toBe(heard[1]?.id);
      expect(heard[0]?.body).toBe(heard[1]?.body);
      await eventually(async () => {
        const { job: told } = await jobs.getJob({ jobId });
        expect(told?.callbackState).toBe(CallbackState.DELIVERED);
      });
      const { deliveries } = await hooks.listDeliveries({ of: { case: "jobId", value: jobId } });
      expect(deliveries).toMatchObject([
        { id: heard[0]?.id, state: DeliveryState.DELIVERED, event: "job.cancelled", tryCount: 1 },
      ]);
    } finally {
      await server.kill("SIGKILL");
      await receiver.close();
      await database.drop();
    }
  },
);

test("a server that is asked to stop writes down what is on its way, and leaves to the next what takes too long", async () => {
  await using stack = new AsyncDisposableStack();
  const database = await createMigrated("sqlite");
  stack.defer(async () => await database.drop());
  const site = await prepareSite(database.url);
  const receiver = await startReceiver();
  stack.defer(async () => await receiver.close());
  const answering = Promise.withResolvers<void>();
  receiver.answer("/slow", () => ({ status: 200, after: answering.promise }));
  receiver.answer("/silent", (_, count) => (count === 1 ? "silence" : { status: 200 }));
  const server = await ServerProcess.at(site, {
    MILLRACE_CALLBACK_ALLOW: "127.0.0.1",
    MILLRACE_DRAIN_SECONDS: "3",
  });
  stack.defer(async () => await server.kill("SIGKILL"));
  await server.start();
  const clients = clientsOf(server, site);
  const slow = await owe(clients, `${receiver.url}/slow`);
  const silent = await owe(clients, `${receiver.url}/silent`);
  await receiver.until("/slow", 1);
  await receiver.until("/silent", 1);

  const stopped = server.kill("SIGTERM");
  await eventually(async () => {
    const ready = fetch(`${server.addresses.publicUrl}/readyz`).then(({ ok }) => ok);
    expect(await ready.catch(() => false)).toBe(false);
  });
  answering.resolve();
  await stopped;
  await server.start();

  const deliveryOf = async (jobId: string) =>
    (await clients.hooks.listDeliveries({ of: { case: "jobId", value: jobId } })).deliveries[0];
  expect(await deliveryOf(slow)).toMatchObject({ state: DeliveryState.DELIVERED, tryCount: 1 });
  const heard = await receiver.until("/silent", 2);
  expect(heard[0]?.id).toBe(heard[1]?.id);
  await eventually(async () => {
    const told = await deliveryOf(silent);
    expect(told).toMatchObject({ state: DeliveryState.DELIVERED, tryCount: 1 });
  });
  expect(await receiver.until("/slow", 1)).toHaveLength(1);
});

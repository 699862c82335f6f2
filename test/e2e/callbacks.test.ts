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
import { prepareSite } from "../support/site.ts";
import { createMigrated } from "../support/templates.ts";

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
      const transport = createGrpcTransport({
        baseUrl: server.addresses.publicUrl,
        interceptors: [bearer(site.token)],
      });
      const jobs = createClient(JobService, transport);
      const { job } = await jobs.submitJob({
        spec: {
          work: { case: "script", value: { source: "export default () => 1" } },
          runAt: { seconds: BigInt(Math.floor(systemClock.now() / 1_000) + 3_600) },
          callback: { url: `${receiver.url}/` },
        },
      });
      const jobId = job?.id ?? "";
      await jobs.cancelJob({ jobId });
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
      const { deliveries } = await createClient(HookService, transport).listDeliveries({
        of: { case: "jobId", value: jobId },
      });
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

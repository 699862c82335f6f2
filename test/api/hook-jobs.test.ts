import { toJson } from "@bufbuild/protobuf";
import { ValueSchema } from "@bufbuild/protobuf/wkt";
import { expect, it } from "vitest";

import { DeliveryState, HookService } from "../../src/gen/millrace/v1/hook_service_pb.ts";
import { eventually } from "../support/eventually.ts";
import { createHandRunner } from "../support/hand-runner.ts";
import { startTestServer } from "../support/server.ts";

const ofType = (type: string) => ({ work: { case: "type" as const, value: type } });

it("a hook submits its job without a result that is too deep for it, and waits while the queue is full", async () => {
  await using stack = new AsyncDisposableStack();
  const server = await startTestServer();
  stack.defer(async () => await server.stop());
  const user = await server.addUser(await server.addOrganization({ maxQueued: 1 }), ["admin"]);
  await server.putHandlers(["order", "passing"], user);
  const runner = createHandRunner(server, { capabilities: ["handler:order"] });
  const [jobs, hooks] = [server.jobsOf(user), server.clientOf(HookService, user.token)];
  const event = { case: "jobs" as const, value: { types: ["order"] } };
  const target = { case: "job" as const, value: { type: "passing" } };
  const { hook } = await hooks.createHook({ spec: { event, target } });
  const { job } = await jobs.submitJob({ spec: ofType("order") });
  const assignment = await runner.take();
  const { job: waiting } = await jobs.submitJob({ spec: ofType("passing") });
  await runner.succeed(assignment, `${"[".repeat(29)}${"]".repeat(29)}`);

  const of = { case: "hookId" as const, value: hook?.id ?? "" };
  const [refused] = await eventually(async () => {
    const { deliveries } = await hooks.listDeliveries({ of });
    expect(deliveries).toMatchObject([{ state: DeliveryState.PENDING, tryCount: 1 }]);
    return deliveries;
  });
  expect(refused?.lastError).toMatch(/^QUEUE_FULL: /);
  await jobs.cancelJob({ jobId: waiting?.id ?? "" });
  await hooks.redeliverDelivery({ deliveryId: refused?.id ?? "" });
  const [delivered] = await eventually(async () => {
    const { deliveries } = await hooks.listDeliveries({ of });
    expect(deliveries).toMatchObject([{ state: DeliveryState.DELIVERED }]);
    return deliveries;
  });
  const { input } = await jobs.getJobInput({ jobId: delivered?.submittedJobId ?? "" });
  expect(input && toJson(ValueSchema, input)).toMatchObject({
    data: { id: job?.id, result_omitted: true },
  });
});

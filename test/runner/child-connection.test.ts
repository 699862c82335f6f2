import { afterAll, beforeAll, expect, it } from "vitest";

import { createChildren } from "../../runner/children.ts";
import { connect, type ServerConnection } from "../../runner/connection.ts";
import type { Children } from "../../runner/executor.ts";
import { createResting } from "../../runner/resting.ts";
import { assignmentOf } from "../../runner/wire.ts";
import type { Assignment } from "../../src/gen/millrace/internal/v1/runner_service_pb.ts";
import { systemClock } from "../../src/runtime/clock.ts";
import { systemRandom } from "../../src/runtime/random.ts";
import { type CuttingProxy, startCuttingProxy } from "../support/cutting-proxy.ts";
import { createHandRunner } from "../support/hand-runner.ts";
import { startTestServer, type TestServer } from "../support/server.ts";

const IDLE = '{"type":"idle"}';

let server: TestServer;
let proxy: CuttingProxy;
let connection: ServerConnection;

beforeAll(async () => {
  server = await startTestServer();
  proxy = await startCuttingProxy(server.internalUrl);
  connection = connect(proxy.url, server.runnerToken, systemClock);
});
afterAll(async () => {
  connection.close();
  await proxy.close();
  await server.stop();
});

const childrenOf = (parent: Assignment): Children => {
  const assignment = assignmentOf(parent);
  if (assignment === null) throw new Error("an assignment without an attempt");
  const over = new AbortController();
  return createChildren(assignment.ref, {
    clock: systemClock,
    random: systemRandom,
    routes: () => [connection],
    resting: createResting(),
    signal: () => over.signal,
  });
};

it("a job goes on submitting and awaiting its own when the connection of its runner is reset", async () => {
  const runner = createHandRunner(server, { capabilities: ["handler:idle"] });
  await server.jobs.submitJob({ spec: { work: { case: "type", value: "idle" } } });
  const children = childrenOf(await runner.take());
  const id = await children.submit("one", IDLE);
  proxy.cutAfter(1);
  expect(await children.submit("one", IDLE)).toBe(id);

  const result = children.wait(id);
  // It is under way once this, which comes later, has been answered.
  await children.submit("two", IDLE);
  proxy.cut();
  await runner.succeed(await runner.take(), "7");
  expect(await result).toBe("7");
});

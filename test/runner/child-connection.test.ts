import { afterAll, beforeAll, expect, it } from "vitest";

import type { TracedChildren } from "../../runner/child-spans.ts";
import { createChildPlaces, createChildren } from "../../runner/children.ts";
import { connect, type ServerConnection } from "../../runner/connection.ts";
import { createResting } from "../../runner/resting.ts";
import { assignmentOf } from "../../runner/wire.ts";
import type { Assignment } from "../../src/gen/millrace/internal/v1/runner_service_pb.ts";
import { systemClock } from "../../src/runtime/clock.ts";
import { systemRandom } from "../../src/runtime/random.ts";
import { type CuttingProxy, startCuttingProxy } from "../support/cutting-proxy.ts";
import { createHandRunner, type HandRunner } from "../support/hand-runner.ts";
import { startTestServer, type TestServer } from "../support/server.ts";

/** A thousand calls in this process may take longer than an answer to a ping should. */
const RARE_PING = { pingIntervalMs: 60_000, pingTimeoutMs: 60_000 };
const IDLE = '{"type":"idle"}';

let server: TestServer;
let runner: HandRunner;
let proxy: CuttingProxy;
let connection: ServerConnection;

beforeAll(async () => {
  server = await startTestServer();
  runner = createHandRunner(server, { capabilities: ["handler:idle"] });
  proxy = await startCuttingProxy(server.internalUrl);
  connection = connect(proxy.url, server.runnerToken, systemClock, RARE_PING);
});
afterAll(async () => {
  connection.close();
  await proxy.close();
  await server.stop();
});

const places = createChildPlaces();
const resting = createResting();
const over = new AbortController();

const childrenOf = (parent: Assignment): TracedChildren => {
  const assignment = assignmentOf(parent);
  if (assignment === null) throw new Error("an assignment without an attempt");
  return createChildren(assignment.ref, {
    clock: systemClock,
    random: systemRandom,
    routes: () => [connection],
    resting,
    places,
    signal: () => over.signal,
  });
};

const startParent = async (): Promise<Assignment> => {
  await server.jobs.submitJob({ spec: { work: { case: "type", value: "idle" } } });
  return await runner.take();
};

it("a job goes on submitting and awaiting its own when the connection of its runner is reset", async () => {
  const parent = await startParent();
  const children = childrenOf(parent);
  const id = await children.submit("one", IDLE, "");
  proxy.cutAfter(1);
  expect(await children.submit("one", IDLE, "")).toBe(id);

  const result = children.wait(id);
  // It is under way once this, which comes later, has been answered.
  await children.submit("two", IDLE, "");
  proxy.cut();
  for (const answer of ["7", "8"]) await runner.succeed(await runner.take(), answer);
  expect(await result).toBe("7");
  await runner.succeed(parent);
});

it("more waits than a connection has streams leave room for everything else", async () => {
  const parent = await startParent();
  const id = await childrenOf(parent).submit("awaited", IDLE, "");
  const child = await runner.take();
  const waits = Array.from({ length: 1_100 }, async () => await childrenOf(parent).wait(id));
  const attempt = parent.attempt;
  const named = await connection.runner.submitChild(
    { attempt, name: "late", spec: { work: { case: "type", value: "idle" } } },
    { timeoutMs: 10_000 },
  );
  expect(named.created).toBe(true);
  await runner.succeed(child, "7");
  expect(new Set(await Promise.all(waits))).toEqual(new Set(["7"]));
});

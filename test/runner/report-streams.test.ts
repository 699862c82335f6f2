import { afterAll, beforeAll, expect, it } from "vitest";

import { connect, type ServerConnection } from "../../runner/connection.ts";
import { systemClock } from "../../src/runtime/clock.ts";
import { type RunnerServer, startRunnerServer } from "../support/runner-server.ts";

let server: RunnerServer;
let connection: ServerConnection;

beforeAll(async () => {
  server = await startRunnerServer();
  connection = connect(server.url(), server.token, systemClock);
});

afterAll(async () => {
  connection.close();
  await server.close();
});

it("sends one batch of reports after the other in one stream, and opens another when that breaks", async () => {
  for (let batch = 0; batch < 3; batch += 1) {
    expect(await connection.reports.send([], "")).toEqual([]);
  }
  expect(server.updateStreams()).toBe(1);
  await server.away();
  await server.back();
  const send = async () => await connection.reports.send([], "").catch(() => "not answered");
  await expect.poll(send).toEqual([]);
  expect(server.updateStreams()).toBe(2);
});

it("has a stream for each batch that is under way", async () => {
  const before = server.updateStreams();
  await Promise.all([connection.reports.send([], ""), connection.reports.send([], "")]);
  expect(server.updateStreams()).toBe(before + 1);
});

import { afterAll, beforeAll, describe, expect, it } from "vitest";

import { JobState } from "../../src/gen/millrace/v1/job_pb.ts";
import { CRASHES_TO_OPEN } from "../../src/shard/breaker.ts";
import { ENGINES } from "../support/databases.ts";
import { createHandRunner, type HandRunner } from "../support/hand-runner.ts";
import type { TestServer } from "../support/server.ts";
import { startServerOn } from "../support/server-on.ts";

const HANDLERS = ["fragile", "limited"];

describe.each(ENGINES)("types that are held back on %s", (engine) => {
  let server: TestServer;
  let runner: HandRunner;
  beforeAll(async () => {
    server = await startServerOn(engine, { handlers: HANDLERS });
    const capabilities = HANDLERS.map((name) => `handler:${name}`);
    runner = createHandRunner(server, { slots: 9, capabilities });
  });
  afterAll(async () => {
    await server.stop();
  });

  const submit = async (type: string, count: number): Promise<void> => {
    const spec = { work: { case: "type" as const, value: type } };
    await server.jobs.submitJobs({ requests: Array.from({ length: count }, () => ({ spec })) });
  };
  const running = async (type: string): Promise<number> => {
    const filter = { type, states: [JobState.RUNNING] };
    return Number((await server.jobs.listJobs({ filter, includeTotal: true })).total);
  };
  const breaker = async () =>
    (await server.types.getJobType({ name: "fragile" })).jobType?.circuitBreaker;

  it("a type that keeps crashing is paused and says so, until it is resumed", async () => {
    await submit("fragile", CRASHES_TO_OPEN);
    for (let count = 0; count < CRASHES_TO_OPEN; count += 1) {
      const value = { code: "runner.crashed", message: "died", retryable: false };
      await runner.report(await runner.take(), { ending: { ending: { case: "error", value } } });
    }
    const opened = await breaker();
    expect(opened).toMatchObject({ open: true, failures: CRASHES_TO_OPEN });
    expect(opened?.reason).toContain("runner.crashed");
    const pause = Number(opened?.retryTime?.seconds) - Number(opened?.openTime?.seconds);
    expect(pause).toBe(30);

    await submit("fragile", 1);
    expect(await running("fragile")).toBe(0);
    await server.types.resumeJobType({ name: "fragile" });
    await runner.succeed(await runner.take());
    expect((await breaker())?.open ?? false).toBe(false);
  });

  it("a limit of a type counts for jobs that wait already, as soon as it is written", async () => {
    const limit = async (maxRunning: number): Promise<void> => {
      const work = { case: "handler" as const, value: {} };
      await server.types.putJobType({ spec: { name: "limited", work, maxRunning } });
    };
    await limit(1);
    await submit("limited", 3);
    const first = await runner.take();
    expect(await running("limited")).toBe(1);
    await limit(2);
    const second = await runner.take();
    expect(await running("limited")).toBe(2);
    await limit(1);
    await runner.succeed(first);
    expect(await running("limited")).toBe(1);
    await runner.succeed(second);
    await runner.succeed(await runner.take());
  });
});

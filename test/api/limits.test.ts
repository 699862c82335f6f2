import { afterEach, describe, expect, it } from "vitest";

import { JobState } from "../../src/gen/millrace/v1/job_pb.ts";
import { ENGINES } from "../support/databases.ts";
import { createHandRunner } from "../support/hand-runner.ts";
import { refusalOf } from "../support/refusal.ts";
import type { TestServer } from "../support/server.ts";
import { startServerOn } from "../support/server-on.ts";

const CAPABILITIES = ["handler:work"];
const spec = (facts: object = {}) => ({ work: { case: "type" as const, value: "work" }, ...facts });

describe.each(ENGINES)("order and limits through the public API on %s", (engine) => {
  let server: TestServer;
  afterEach(async () => {
    await server.stop();
  });

  const submit = async (...specs: ReturnType<typeof spec>[]): Promise<string[]> => {
    const { outcomes } = await server.jobs.submitJobs({
      requests: specs.map((one) => ({ spec: one })),
    });
    return outcomes.map(({ outcome }) => {
      if (outcome.case !== "submitted") throw new Error("a submission was refused");
      return outcome.value.job?.id ?? "";
    });
  };
  const running = async (): Promise<number> => {
    const { total } = await server.jobs.listJobs({
      filter: { states: [JobState.RUNNING] },
      includeTotal: true,
    });
    return Number(total);
  };

  it("runs five jobs of an organization at once, and the sixth when one has ended", async () => {
    server = await startServerOn(engine, { handlers: ["work"] });
    const runner = createHandRunner(server, { slots: 10, capabilities: CAPABILITIES });
    await submit(...Array.from({ length: 7 }, () => spec()));
    const first = await runner.take();
    for (let count = 1; count < 5; count += 1) await runner.take();
    expect(await running()).toBe(5);
    await runner.succeed(first);
    expect((await runner.take()).attempt?.jobId).not.toBe(first.attempt?.jobId);
    expect(await running()).toBe(5);
  });

  it("runs higher priorities first, and among equals who came first", async () => {
    server = await startServerOn(engine, { handlers: ["work"] });
    const [low, one, two, high] = await submit(
      spec({ priority: -5 }),
      spec(),
      spec(),
      spec({ priority: 5 }),
    );
    const runner = createHandRunner(server, { slots: 1, capabilities: CAPABILITIES });
    const order: (string | undefined)[] = [];
    for (let count = 0; count < 4; count += 1) {
      const assignment = await runner.take();
      order.push(assignment.attempt?.jobId);
      await runner.succeed(assignment);
    }
    expect(order).toEqual([high, one, two, low]);
  });

  it("lets one job of a concurrency key run, and refuses a second that asked for it", async () => {
    server = await startServerOn(engine, { handlers: ["work"] });
    const runner = createHandRunner(server, { slots: 5, capabilities: CAPABILITIES });
    await submit(spec({ concurrencyKey: "k" }), spec({ concurrencyKey: "k" }));
    const first = await runner.take();
    expect(await running()).toBe(1);
    const rejecting = spec({ concurrencyKey: "k", concurrencyPolicy: 2 });
    const refusal = await refusalOf(server.jobs.submitJob({ spec: rejecting }));
    expect(refusal).toMatchObject({ reason: "JOB_CONFLICT" });
    await runner.succeed(first);
    await runner.succeed(await runner.take());
    await server.jobs.submitJob({ spec: rejecting });
  });

  it("fails a job that waits beyond its total timeout", async () => {
    server = await startServerOn(engine, { handlers: ["work"] });
    const totalTimeout = { nanos: 200_000_000 };
    const { job } = await server.jobs.runJob({ submit: { spec: spec({ totalTimeout }) } });
    expect(job).toMatchObject({ state: JobState.FAILED, error: { code: "timeout.total" } });
  });
});

import { afterAll, beforeAll, describe, expect, it, vi } from "vitest";

import { CallbackState, type Job } from "../../src/gen/millrace/v1/job_pb.ts";
import { ENGINES } from "../support/databases.ts";
import { createHandRunner, type HandRunner } from "../support/hand-runner.ts";
import { startReceiver, type TestReceiver } from "../support/receiver.ts";
import type { TestServer } from "../support/server.ts";
import { startServerOn } from "../support/server-on.ts";

const script = { case: "script" as const, value: { source: "export default () => 1" } };

const required = <T>(value: T | undefined): T => {
  if (value === undefined) throw new Error("an answer lacks what it is about");
  return value;
};

describe.each(ENGINES)("callbacks on %s", (engine) => {
  let server: TestServer;
  let receiver: TestReceiver;
  let runner: HandRunner;
  beforeAll(async () => {
    server = await startServerOn(engine, {
      environment: { MILLRACE_CALLBACK_ALLOW: "127.0.0.1" },
    });
    receiver = await startReceiver();
    runner = createHandRunner(server);
  });
  afterAll(async () => {
    await receiver.close();
    await server.stop();
  });

  const submit = async (path: string): Promise<Job> => {
    const callback = { url: receiver.url + path };
    return required((await server.jobs.submitJob({ spec: { work: script, callback } })).job);
  };
  const read = async ({ id }: Job): Promise<Job> =>
    required((await server.jobs.getJob({ jobId: id })).job);
  const untilState = async (job: Job, state: CallbackState): Promise<Job> =>
    await vi.waitFor(
      async () => {
        const found = await read(job);
        expect(found.callbackState).toBe(state);
        return found;
      },
      { timeout: 10_000, interval: 20 },
    );

  it("tell the receiver of the end of a job, with its result", async () => {
    const job = await submit("/result");
    expect(job.callbackState).toBe(CallbackState.PENDING);
    await runner.succeed(await runner.take(), '{"a":[1,2]}');
    const [heard] = await receiver.until("/result", 1);
    const body = JSON.parse(required(heard).body) as object;
    expect(body).toMatchObject({
      type: "job.succeeded",
      data: { id: job.id, state: "JOB_STATE_SUCCEEDED", attempt: 1, result: { a: [1, 2] } },
    });
    await untilState(job, CallbackState.DELIVERED);
  });
});

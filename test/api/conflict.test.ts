import { createClient } from "@connectrpc/connect";
import {
  createConnectTransport,
  createGrpcTransport,
  Http2SessionManager,
} from "@connectrpc/connect-node";
import { afterAll, beforeAll, describe, expect, it } from "vitest";

import { ConcurrencyPolicy, JobState } from "../../src/gen/millrace/v1/job_pb.ts";
import { JobService } from "../../src/gen/millrace/v1/job_service_pb.ts";
import { systemRandom } from "../../src/runtime/random.ts";
import { ENGINES } from "../support/databases.ts";
import { createHandRunner } from "../support/hand-runner.ts";
import { type Refusal, refusalOf } from "../support/refusal.ts";
import { bearer, type TestServer } from "../support/server.ts";
import { startServerOn } from "../support/server-on.ts";

const AT_ONCE = 50;
const CONNECTIONS = 4;
const OTHERS = 8;

const work = (name: string) => ({ case: "type" as const, value: name });

describe.each(ENGINES)("a concurrency key with the policy REJECT on %s", (engine) => {
  let server: TestServer;
  const sessions: Http2SessionManager[] = [];

  beforeAll(async () => {
    server = await startServerOn(engine, { handlers: ["other", "exclusive"] });
  });
  afterAll(async () => {
    for (const session of sessions) session.abort();
    await server.stop();
  });

  /** Over connections of their own; one of them with HTTP/1.1. */
  const clients = () => {
    const baseUrl = server.publicUrl;
    const interceptors = [bearer(server.admin.token)];
    const overHttp2 = Array.from({ length: CONNECTIONS }, () => {
      const sessionManager = new Http2SessionManager(baseUrl);
      sessions.push(sessionManager);
      return createGrpcTransport({ baseUrl, sessionManager, interceptors });
    });
    const transports = [
      ...overHttp2,
      createConnectTransport({ baseUrl, httpVersion: "1.1", interceptors }),
    ];
    return transports.map((transport) => createClient(JobService, transport));
  };

  /** Other jobs are submitted and run as fast as they can, until `stop`. Answers with their number. */
  const load = async (stop: AbortSignal, underWay: () => void): Promise<number> => {
    const runner = createHandRunner(server, { slots: 50, capabilities: ["handler:other"] });
    const { jobs } = server;
    const submitting = Array.from({ length: OTHERS }, async () => {
      let count = 0;
      while (!stop.aborted) {
        await jobs.runJob({ submit: { spec: { work: work("other") } } });
        count += 1;
        underWay();
      }
      return count;
    });
    const running = (async (): Promise<void> => {
      for (;;) {
        const assignment = await runner.take();
        await runner.succeed(assignment);
        if (assignment.labels["last"] === "yes") return;
      }
    })();
    const counts = await Promise.all(submitting);
    await jobs.submitJob({ spec: { work: work("other"), labels: { last: "yes" } } });
    await running;
    return counts.reduce((sum, count) => sum + count, 0);
  };

  it("is given to exactly one of many that ask at the same time, and again when that has ended", async () => {
    const stop = new AbortController();
    const warm = Promise.withResolvers<void>();
    const loaded = load(stop.signal, warm.resolve);
    await warm.promise;
    const runner = createHandRunner(server, { capabilities: ["handler:exclusive"] });
    const lines = clients();
    const concurrencyKey = systemRandom.uuid();
    const concurrencyPolicy = ConcurrencyPolicy.REJECT;
    const spec = { work: work("exclusive"), concurrencyKey, concurrencyPolicy };

    const round = async (): Promise<string> => {
      const accepted: string[] = [];
      const refused: Refusal[] = [];
      await Promise.all(
        Array.from({ length: AT_ONCE }, async (_, index) => {
          const submitted = lines[index % lines.length]?.submitJob({ spec });
          if (submitted === undefined) throw new Error("no connection");
          const [settled] = await Promise.allSettled([submitted]);
          if (settled?.status === "fulfilled") accepted.push(settled.value.job?.id ?? "");
          else refused.push(await refusalOf(submitted));
        }),
      );
      expect(accepted).toHaveLength(1);
      expect(refused).toHaveLength(AT_ONCE - 1);
      for (const refusal of refused) {
        expect(refusal).toEqual({
          code: "Aborted",
          reason: "JOB_CONFLICT",
          metadata: { concurrency_key: concurrencyKey },
          fields: [],
          retries: true,
        });
      }
      return accepted[0] ?? "";
    };

    const first = await round();
    const assignment = await runner.take();
    expect(assignment.attempt?.jobId).toBe(first);
    // While it runs the key is as taken as while it waited.
    expect(await refusalOf(server.jobs.submitJob({ spec }))).toMatchObject({
      reason: "JOB_CONFLICT",
    });
    await runner.succeed(assignment);
    const second = await round();
    expect(second).not.toBe(first);
    await runner.succeed(await runner.take());

    stop.abort();
    expect(await loaded).toBeGreaterThan(OTHERS);
    const { job } = await server.jobs.getJob({ jobId: second });
    expect(job?.state).toBe(JobState.SUCCEEDED);
    const { total } = await server.jobs.listJobs({
      filter: { type: "exclusive" },
      includeTotal: true,
    });
    expect(total).toBe(2n);
  });
});

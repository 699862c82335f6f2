import { once } from "node:events";
import { createServer, type Server } from "node:http";
import type { AddressInfo } from "node:net";

import { afterAll, beforeAll, describe, expect, it } from "vitest";

import { createHandRunner } from "../support/hand-runner.ts";
import { refusalOf } from "../support/refusal.ts";
import { startTestServer, type TestServer } from "../support/server.ts";

const TRACE = "4bf92f3577b34da6a3ce929d0e0e4736";

/** Where collectors listen: everything that was sent, by path. */
const sink = new Map<string, Buffer>();
let collector: Server;
let server: TestServer;
let metricsPort: number;

const freePort = async (): Promise<number> => {
  const probe = createServer().listen(0, "127.0.0.1");
  await once(probe, "listening");
  const { port } = probe.address() as AddressInfo;
  probe.close();
  await once(probe, "close");
  return port;
};

beforeAll(async () => {
  collector = createServer((request, response) => {
    const chunks: Buffer[] = [];
    request.on("data", (chunk: Buffer) => chunks.push(chunk));
    request.on("end", () => {
      const path = request.url ?? "";
      sink.set(path, Buffer.concat([sink.get(path) ?? Buffer.alloc(0), ...chunks]));
      response.end();
    });
  }).listen(0, "127.0.0.1");
  await once(collector, "listening");
  const endpoint = `http://127.0.0.1:${(collector.address() as AddressInfo).port}`;
  // The SDK reads the environment of the process itself.
  process.env["OTEL_EXPORTER_OTLP_ENDPOINT"] = endpoint;
  metricsPort = await freePort();
  server = await startTestServer({
    environment: {
      OTEL_EXPORTER_OTLP_ENDPOINT: endpoint,
      MILLRACE_METRICS_LISTEN: `127.0.0.1:${metricsPort}`,
    },
  });
});
afterAll(async () => {
  delete process.env["OTEL_EXPORTER_OTLP_ENDPOINT"];
  collector.close();
  await once(collector, "close");
});

describe("a server with a collector and a Prometheus endpoint", () => {
  it("measures each call by its method and status, and no job by its id", async () => {
    const spec = { work: { case: "script" as const, value: { source: "export default () => 1" } } };
    const headers = { traceparent: `00-${TRACE}-00f067aa0ba902b7-01` };
    const { job } = await server.jobs.submitJob({ spec }, { headers });
    const runner = createHandRunner(server);
    const assignment = await runner.take();
    expect(assignment.traceparent).toMatch(new RegExp(`^00-${TRACE}-[0-9a-f]{16}-01$`));
    expect(assignment.traceparent).not.toBe(headers.traceparent);
    await runner.succeed(assignment);
    await refusalOf(server.jobs.getJob({ jobId: "nope" }));
    await refusalOf(server.jobsOf({ token: "wrong" }).getJob({ jobId: "nope" }));
    for await (const _message of server.jobs.watchJob({ jobId: job?.id ?? "" }));

    const answer = await fetch(`http://127.0.0.1:${metricsPort}/metrics`);
    const text = await answer.text();
    const count = (method: string, status: string) =>
      text
        .split("\n")
        .find(
          (line) =>
            line.startsWith("rpc_server_call_duration_count") &&
            line.includes(`/${method}"`) &&
            line.includes(`"${status}"`),
        )
        ?.split(" ")
        .at(-1);
    expect(count("SubmitJob", "OK")).toBe("1");
    expect(count("GetJob", "NOT_FOUND")).toBe("1");
    expect(count("GetJob", "UNAUTHENTICATED")).toBe("1");
    expect(count("WatchJob", "OK")).toBeUndefined();
    expect(text).toMatch(
      /millrace_watch_streams\{rpc_method="millrace.v1.JobService\/WatchJob"[^}]*\} 0/,
    );
    expect(text).toMatch(
      /millrace_attempts_total\{millrace_work="script",millrace_attempt_outcome="succeeded"[^}]*\} 1/,
    );
    expect(text).toMatch(/millrace_commit_duration_count\S* [1-9]/);
    expect(text).toMatch(/millrace_jobs_active\{millrace_job_state="running"/);
    expect(text).not.toContain(job?.id);
  });

  it("sends its metrics, and its calls as spans of the caller's trace, before it ends", async () => {
    await server.stop();
    expect(sink.get("/v1/metrics")?.includes("rpc.server.call.duration")).toBe(true);
    const traces = sink.get("/v1/traces");
    expect(traces?.includes("millrace.v1.JobService/SubmitJob")).toBe(true);
    expect(traces?.includes(Buffer.from(TRACE, "hex"))).toBe(true);
    expect(traces?.includes("WatchJob")).toBe(false);
  });
});

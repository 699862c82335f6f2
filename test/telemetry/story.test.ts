import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import path from "node:path";

import { create, toJson } from "@bufbuild/protobuf";
import { ValueSchema } from "@bufbuild/protobuf/wkt";
import { createClient } from "@connectrpc/connect";
import { createConnectTransport } from "@connectrpc/connect-node";
import { afterAll, beforeAll, describe, expect, it, vi } from "vitest";

import { ALL } from "../../scripts/dashboard/queries.ts";
import { HookService } from "../../src/gen/millrace/v1/hook_service_pb.ts";
import { JobTypeService } from "../../src/gen/millrace/v1/job_type_service_pb.ts";
import { JobService } from "../../src/gen/millrace/v1/job_service_pb.ts";
import { JobState } from "../../src/gen/millrace/v1/job_pb.ts";
import { type Dev, startDev } from "../support/dev.ts";
import { echo, type Site, startSite } from "../support/egress-site.ts";
import { type OtlpSink, startOtlpSink, type SunkSpan } from "../support/otlp-sink.ts";
import { inside, linkTo, onlySpan } from "../support/spans.ts";

const TRACE = "4bf92f3577b34da6a3ce929d0e0e4736";
const CALLER = "00f067aa0ba902b7";

const SCRIPT = `export default async (input, ctx) => {
  const token = await ctx.step("token", async () => "t");
  const answer = await (await fetch("upstream://core/things")).json();
  await ctx.waitFor(await ctx.submit("part", { type: "part" }));
  return { token, traceparent: answer.headers.traceparent };
};`;

/** What the job submits, and what a hook submits at the end of that. */
const TYPES = ["part", "follow-up"] as const;

/** A server and a runner as processes, a collector, another layer, and one job. */
let sink: OtlpSink;
let core: Site;
let caller: Site;
let folder: string;
let dev: Dev;
let jobId: string;
let result: { readonly traceparent: string };

beforeAll(async () => {
  sink = await startOtlpSink();
  core = await startSite(echo);
  const told = Promise.withResolvers<void>();
  caller = await startSite((_request, response) => {
    response.end();
    told.resolve();
  });
  folder = await mkdtemp(path.join(tmpdir(), "millrace-story-"));
  const config = path.join(folder, "runner.yaml");
  await writeFile(config, `upstreams: { core: { url: "http://127.0.0.1:${core.port}/" } }\n`);
  dev = await startDev({
    OTEL_EXPORTER_OTLP_ENDPOINT: sink.endpoint,
    // A tenth of the traces that begin here, and all of those whose caller wants them.
    OTEL_TRACES_SAMPLER: "parentbased_traceidratio",
    OTEL_TRACES_SAMPLER_ARG: "0.1",
    OTEL_RESOURCE_ATTRIBUTES: "deployment.environment.name=test",
    MILLRACE_LOG_LEVEL: "info",
    MILLRACE_RUNNER_CONFIG: config,
    MILLRACE_CALLBACK_ALLOW: "127.0.0.1",
  });
  const transport = createConnectTransport({ baseUrl: dev.url, httpVersion: "2" });
  const jobs = createClient(JobService, transport);
  const asAdmin = { headers: { authorization: `Bearer ${dev.token}` } };
  for (const name of TYPES) {
    const work = { case: "script" as const, value: { source: "export default () => 1" } };
    await createClient(JobTypeService, transport).putJobType({ spec: { name, work } }, asAdmin);
  }
  const event = {
    case: "jobs" as const,
    value: { states: [JobState.SUCCEEDED], types: ["part"] },
  };
  const target = { case: "job" as const, value: { type: "follow-up" } };
  await createClient(HookService, transport).createHook({ spec: { event, target } }, asAdmin);
  /** Resolves when the hooks of so many runs have had their jobs, and these have ended. */
  const followed = async (count: number): Promise<void> => {
    await vi.waitFor(
      async () => {
        const filter = { type: "follow-up", states: [JobState.SUCCEEDED] };
        const found = await jobs.listJobs({ filter }, asAdmin);
        expect(found.jobs).toHaveLength(count);
      },
      { timeout: 20_000 },
    );
  };
  const run = async (flags: string, callback?: { readonly url: string }) => {
    const headers = {
      authorization: `Bearer ${dev.token}`,
      traceparent: `00-${TRACE}-${CALLER}-${flags}`,
    };
    const work = { case: "script" as const, value: { source: SCRIPT } };
    const spec = { work, ...(callback === undefined ? {} : { callback }) };
    const { job } = await jobs.submitJob({ spec }, { headers });
    const ended = await jobs.waitJob({ jobId: job?.id ?? "" }, { headers });
    expect(ended.job?.state).toBe(JobState.SUCCEEDED);
    return job?.id ?? "";
  };
  await run("00");
  await followed(1);
  jobId = await run("01", { url: `http://127.0.0.1:${caller.port}/done` });
  const answer = await jobs.getJobResult({ jobId }, asAdmin);
  result = toJson(ValueSchema, answer.result ?? create(ValueSchema)) as typeof result;
  await told.promise;
  await followed(2);
  await dev.stop();
}, 120_000);
afterAll(async () => {
  await core.close();
  await caller.close();
  await sink.close();
  await rm(folder, { recursive: true, force: true });
});

const spanOf = (name: string, below: (span: SunkSpan) => boolean) => onlySpan(sink, name, below);

describe("the trace of a job", () => {
  const submission = () =>
    spanOf("millrace.v1.JobService/SubmitJob", ({ parentSpanId }) => parentSpanId === CALLER);
  const attemptOf = (type: string) =>
    spanOf("attempt script", ({ attributes }) => attributes["millrace.job.type"] === type);
  const attempt = () => attemptOf("");

  it("goes on with the caller's: the call, its commit, and the time in the queue", () => {
    expect(submission()).toMatchObject({
      service: "millrace",
      kind: "SPAN_KIND_SERVER",
      traceId: TRACE,
      attributes: {
        "rpc.system.name": "connectrpc",
        "rpc.method": "millrace.v1.JobService/SubmitJob",
        "rpc.response.status_code": "OK",
      },
    });
    expect(spanOf("commit", inside(submission())).attributes).toMatchObject({
      "millrace.commit.commands": 1,
    });
    const queue = spanOf("queue", inside(submission()));
    expect(queue.attributes).toMatchObject({ "millrace.job.id": jobId, "millrace.job.attempt": 1 });
    expect(queue.endMs).toBeGreaterThanOrEqual(queue.startMs);
  });

  it("has the attempt as a trace of its own that is linked to the call", () => {
    expect(attempt()).toMatchObject({
      service: "millrace-runner",
      kind: "SPAN_KIND_CONSUMER",
      parentSpanId: "",
      links: linkTo(submission()),
      attributes: {
        "millrace.job.id": jobId,
        "millrace.work": "script",
        "millrace.attempt.outcome": "succeeded",
      },
    });
    expect(attempt().traceId).not.toBe(TRACE);
  });

  it("has steps and fetches below the attempt, and goes on to the upstream", () => {
    const fetched = spanOf("GET", inside(attempt()));
    expect(fetched).toMatchObject({
      kind: "SPAN_KIND_CLIENT",
      attributes: {
        "http.request.method": "GET",
        "http.response.status_code": 200,
        "server.address": "127.0.0.1",
        "millrace.upstream": "core",
      },
    });
    expect(result.traceparent).toBe(`00-${fetched.traceId}-${fetched.spanId}-01`);
    expect(spanOf("step", inside(attempt())).attributes).toEqual({ "millrace.step": "token" });
  });

  it("leads back to the server with the reports, down to their commits", () => {
    const name = "millrace.internal.v1.JobUpdateService/UpdateJobs";
    const calls = sink.spans.filter((span) => span.name === name && inside(attempt())(span));
    expect(calls.length).toBeGreaterThan(0);
    for (const call of calls) {
      const answer = spanOf(name, inside(call));
      expect(answer).toMatchObject({ service: "millrace", kind: "SPAN_KIND_SERVER" });
      expect(spanOf("commit", inside(answer)).service).toBe("millrace");
    }
  });

  it("goes on with the jobs that the attempt submits, and shows how long it waits for them", () => {
    const submit = spanOf("submit", inside(attempt()));
    expect(submit.attributes).toEqual({
      "millrace.child.name": "part",
      "millrace.child.id": attemptOf("part").attributes["millrace.job.id"],
    });
    expect(spanOf("wait", inside(attempt())).attributes).toEqual({
      "millrace.child.id": submit.attributes["millrace.child.id"],
    });
    const call = spanOf("millrace.internal.v1.RunnerService/SubmitChild", inside(submit));
    expect(spanOf("commit", inside(call)).service).toBe("millrace");
    spanOf("queue", inside(call));
    expect(attemptOf("part")).toMatchObject({ parentSpanId: "", links: linkTo(call) });
  });

  it("goes on with the jobs of hooks, by the try to deliver their notice", () => {
    const call = spanOf("millrace.internal.v1.RunnerService/SubmitChild", () => true);
    const delivery = spanOf("deliver hook", () => true);
    expect(delivery).toMatchObject({
      kind: "SPAN_KIND_PRODUCER",
      parentSpanId: "",
      links: linkTo(call),
      attributes: { "millrace.job.type": "follow-up", "millrace.delivery.try": 1 },
    });
    spanOf("commit", inside(delivery));
    spanOf("queue", inside(delivery));
    expect(attemptOf("follow-up")).toMatchObject({ parentSpanId: "", links: linkTo(delivery) });
  });

  it("has the callback as a trace of its own that is linked to the call, and goes on to the receiver", () => {
    const delivery = spanOf("deliver callback", () => true);
    expect(delivery).toMatchObject({
      service: "millrace",
      kind: "SPAN_KIND_CLIENT",
      parentSpanId: "",
      links: [{ traceId: TRACE, spanId: submission().spanId }],
      attributes: {
        "http.response.status_code": 200,
        "server.address": "127.0.0.1",
        "millrace.job.id": jobId,
        "millrace.delivery.try": 1,
      },
    });
    expect(caller.heard.map(({ headers }) => headers.traceparent)).toEqual([
      `00-${delivery.traceId}-${delivery.spanId}-01`,
    ]);
  });

  it("leaves out all of a job whose caller does not want it, and what runners ask all the time", () => {
    expect(sink.spans.filter(({ name }) => name === "attempt script")).toHaveLength(3);
    expect(sink.spans.filter(({ name }) => name === "queue")).toHaveLength(3);
    expect(sink.spans.filter(({ name }) => name.endsWith("/Sync"))).toEqual([]);
  });
});

describe("what a collector hears besides", () => {
  it("is who speaks", () => {
    for (const service of ["millrace", "millrace-runner"]) {
      expect(sink.resources.get(service)).toMatchObject({
        "service.name": service,
        "service.instance.id": expect.stringMatching(/.-\d+$/),
        "deployment.environment.name": "test",
        "host.name": expect.any(String),
      });
    }
  });

  it("is every metric by the name, unit, kind, buckets and attributes of the tables", () => {
    const KINDS = {
      counter: "sum",
      "up-down counter": "sum",
      gauge: "gauge",
      histogram: "histogram",
    } as const;
    expect(sink.metrics.length).toBeGreaterThan(20);
    for (const { name, unit, kind, points } of sink.metrics) {
      const spec = ALL.find((one) => one.name === name);
      expect({ name, unit, kind }).toEqual({
        name,
        unit: spec?.unit,
        kind: spec === undefined ? "" : KINDS[spec.kind],
      });
      for (const { attributes, bounds } of points) {
        expect(bounds).toEqual(spec?.buckets ?? []);
        for (const [key, value] of Object.entries(attributes)) {
          const allowed: readonly unknown[] = spec?.attributes[key] ?? ["no such attribute"];
          if (allowed.length > 0) expect(allowed).toContain(value);
        }
      }
    }
    const heard = new Set(sink.metrics.map(({ name }) => name));
    for (const name of ["rpc.server.call.duration", "millrace.runner.slots", "millrace.attempts"]) {
      expect(heard).toContain(name);
    }
  });

  it("is every line of the log, which standard error has, too", () => {
    const said = dev
      .errors()
      .trim()
      .split("\n")
      .map((line) => JSON.parse(line) as { readonly msg: string });
    const heard = sink.logs.map(({ body }) => body);
    expect(heard).toContain("serving");
    expect(heard).toContain("the runner takes work");
    // What is said before the collector is known, and after it was told the last, is not sent.
    expect(said.map(({ msg }) => msg)).toEqual(expect.arrayContaining(heard));
    expect(sink.logs.every(({ severity }) => severity === "INFO")).toBe(true);
  });
});

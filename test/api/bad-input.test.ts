import { afterAll, beforeAll, describe, expect, it } from "vitest";

import type { JobState } from "../../src/gen/millrace/v1/job_pb.ts";
import { createHandRunner } from "../support/hand-runner.ts";
import { refusalOf, streamRefusalOf } from "../support/refusal.ts";
import { startTestServer, type TestServer } from "../support/server.ts";
import { updateJobs } from "../support/update-jobs.ts";

let server: TestServer;
beforeAll(async () => {
  server = await startTestServer();
});
afterAll(async () => {
  await server.stop();
});

const spec = { work: { case: "type" as const, value: "idle" } };
const day = 86_400n;

describe("bad input is INVALID_ARGUMENT with the path of every fault", () => {
  it.each<[string, (jobs: TestServer["jobs"]) => Promise<unknown>, string[]]>([
    ["no spec", async (jobs) => await jobs.submitJob({}), ["spec"]],
    ["no work", async (jobs) => await jobs.submitJob({ spec: {} }), ["spec.work"]],
    [
      "a bad retry policy and a bad priority",
      async (jobs) =>
        await jobs.submitJob({
          spec: { ...spec, priority: 500, retryPolicy: { maxRetries: 101 } },
        }),
      ["spec.retry_policy.max_retries", "spec.priority"],
    ],
    ["no batch", async (jobs) => await jobs.submitJobs({}), ["requests"]],
    [
      "too large a batch",
      async (jobs) =>
        await jobs.submitJobs({ requests: Array.from({ length: 1_001 }, () => ({})) }),
      ["requests"],
    ],
    [
      "a filter by ids that are none",
      async (jobs) =>
        await jobs.listJobs({ filter: { creatorId: "ü", workflowId: "x".repeat(37) } }),
      ["filter.creator_id", "filter.workflow_id"],
    ],
    ["nothing to run", async (jobs) => await jobs.runJob({}), ["submit"]],
    ["a bad job to run", async (jobs) => await jobs.runJob({ submit: {} }), ["submit.spec"]],
    [
      "too long a wait to run",
      async (jobs) => await jobs.runJob({ submit: { spec }, maxWait: { seconds: day } }),
      ["max_wait"],
    ],
    [
      "an id of a request that a child of a job may have",
      async (jobs) => await jobs.submitJob({ spec, requestId: "child:x" }),
      ["request_id"],
    ],
    ["no job", async (jobs) => await jobs.getJob({}), ["job_id"]],
    ["too large a page", async (jobs) => await jobs.listJobs({ pageSize: 1_001 }), ["page_size"]],
    ["a negative page", async (jobs) => await jobs.listJobs({ pageSize: -1 }), ["page_size"]],
    ["a made-up page", async (jobs) => await jobs.listJobs({ pageToken: "x" }), ["page_token"]],
    [
      "a filter of no state",
      async (jobs) => await jobs.listJobs({ filter: { states: [0, 99 as JobState] } }),
      ["filter.states[0]", "filter.states[1]"],
    ],
    [
      "too many states to filter by",
      async (jobs) =>
        await jobs.listJobs({ filter: { states: Array.from({ length: 51 }, () => 4) } }),
      ["filter.states"],
    ],
    [
      "too many labels to filter by",
      async (jobs) =>
        await jobs.listJobs({
          filter: {
            labels: Object.fromEntries(Array.from({ length: 9 }, (_, n) => [`l${n}`, ""])),
          },
        }),
      ["filter.labels"],
    ],
    [
      "too many rows of output",
      async (jobs) => await jobs.listJobOutput({ jobId: "x", limit: 1_001 }),
      ["limit"],
    ],
    [
      "output before the first",
      async (jobs) => await jobs.listJobOutput({ jobId: "x", offset: -1n }),
      ["offset"],
    ],
    [
      "a long reason",
      async (jobs) => await jobs.cancelJob({ jobId: "x", reason: "r".repeat(501) }),
      ["reason"],
    ],
    [
      "too long a wait",
      async (jobs) => await jobs.waitJob({ jobId: "x", maxWait: { seconds: day }, revision: -1n }),
      ["max_wait", "revision"],
    ],
  ])("%s", async (_what, call, fields) => {
    const refusal = await refusalOf(call(server.jobs));
    expect(refusal).toMatchObject({ code: "InvalidArgument", reason: "INVALID_ARGUMENT" });
    expect(refusal.fields.toSorted()).toEqual(fields.toSorted());
  });

  it("a bad filter of a watch", async () => {
    const stream = server.jobs.watchJobs({ filter: { states: [0] } });
    expect(await streamRefusalOf(stream)).toMatchObject({ fields: ["filter.states[0]"] });
  });

  it("a runner that does not say what it is", async () => {
    const call = server.runners.sync({
      runnerId: "me",
      capabilities: ["script", "anything"],
      slots: -1,
    });
    expect((await streamRefusalOf(call)).fields).toEqual(["runner_id", "capabilities[1]", "slots"]);
  });
});

describe("a batch of reports", () => {
  it("has each refused on its own, and the good ones applied", async () => {
    const runner = createHandRunner(server);
    const source = "export default () => 1";
    const { job } = await server.jobs.submitJob({
      spec: { work: { case: "script", value: { source } } },
    });
    const { attempt } = await runner.take();
    if (attempt === undefined) throw new Error("no attempt");
    const badJson = { ending: { case: "resultJson" as const, value: "{" } };
    const { outcomes } = await updateJobs(server.updates, {
      updates: [
        { attempt, seq: 1n, output: [{ stream: 1, text: "good" }] },
        { attempt, seq: 0n },
        { seq: 1n },
        { attempt, seq: 2n, output: [{ stream: 0, text: "x".repeat(8_193) }] },
        { attempt, seq: 2n, ending: badJson },
        { attempt: { ...attempt, leaseToken: "stale" }, seq: 2n },
        { attempt: { ...attempt, organizationId: "nobody" }, seq: 2n },
      ],
    });
    const [good, ...bad] = outcomes.map(({ error }) => error?.message ?? "applied");
    expect(good).toBe("applied");
    expect(bad).toEqual([
      expect.stringContaining("updates[1].seq"),
      expect.stringContaining("updates[2].attempt"),
      expect.stringContaining("updates[3].output[0].stream"),
      expect.stringContaining("updates[4].ending.result_json"),
      expect.any(String),
      expect.any(String),
    ]);
    expect(outcomes.slice(5).map(({ error }) => error?.code)).toEqual([10, 10]);
    const { rows } = await server.jobs.listJobOutput({ jobId: job?.id ?? "" });
    expect(rows.map(({ text }) => text)).toEqual(["good"]);
  });

  it("asks for a script that is not there in vain", async () => {
    const call = server.runners.getScript({
      organizationId: server.admin.organizationId,
      hash: "0",
    });
    expect(await refusalOf(call)).toMatchObject({ code: "NotFound", reason: "SCRIPT_NOT_FOUND" });
  });
});

describe("what is no message at all", () => {
  const post = async (
    body: string | Uint8Array<ArrayBuffer>,
    headers: Record<string, string> = {},
  ) =>
    await fetch(`${server.publicUrl}/millrace.v1.JobService/SubmitJob`, {
      method: "POST",
      body,
      headers: {
        authorization: `Bearer ${server.admin.token}`,
        "content-type": "application/json",
        ...headers,
      },
    });

  it("is refused, and the server goes on", async () => {
    expect((await post("{")).status).toBe(400);
    expect((await post('{"spec":{"priority":"high"}}')).status).toBe(400);
    const noProtobuf = await post(new Uint8Array([255, 255]), {
      "content-type": "application/proto",
    });
    expect(noProtobuf.status).toBe(500);
    const deep = `{"spec":{"input":${"[".repeat(5_000)}${"]".repeat(5_000)}}}`;
    expect((await post(deep)).status).toBe(400);
    expect((await post("{}", { "connect-timeout-ms": "soon" })).status).toBe(400);
  });

  it("of more than 16 MiB is refused, packed or not", async () => {
    expect((await post("x".repeat(17 * 1_048_576))).status).toBe(429);
    const { gzipSync } = await import("node:zlib");
    const bomb = gzipSync(Buffer.alloc(64 * 1_048_576));
    expect((await post(bomb, { "content-encoding": "gzip" })).status).toBe(429);
  });

  it("with a deadline of a day is not refused for that", async () => {
    const { job } = await server.jobs.submitJob({ spec }, { timeoutMs: 86_400_000 });
    expect(job?.id).toBeTruthy();
  });
});

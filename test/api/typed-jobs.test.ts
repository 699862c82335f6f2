import type { JsonObject, MessageInitShape } from "@bufbuild/protobuf";
import { afterAll, beforeAll, describe, expect, it } from "vitest";

import { valueOf } from "../../src/api/convert/json-value.ts";
import { JobState } from "../../src/gen/millrace/v1/job_pb.ts";
import type { JobTypeSpecSchema } from "../../src/gen/millrace/v1/job_type_service_pb.ts";
import { OrganizationService } from "../../src/gen/millrace/v1/organization_service_pb.ts";
import { systemRandom } from "../../src/runtime/random.ts";
import { ENGINES } from "../support/databases.ts";
import { createHandRunner } from "../support/hand-runner.ts";
import { refusalOf } from "../support/refusal.ts";
import type { TestServer } from "../support/server.ts";
import { startServerOn } from "../support/server-on.ts";

type Given = Exclude<MessageInitShape<typeof JobTypeSpecSchema>, { $typeName: string }>;
type Spec = Omit<Given, "name">;

const aName = (): string => `t-${systemRandom.uuid()}`;
const HANDLER = { case: "handler" as const, value: {} };
const script = (source: string) => ({ case: "script" as const, value: { source } });
const jobOf = (name: string, input: unknown = null, facts: object = {}) => ({
  work: { case: "type" as const, value: name },
  input: valueOf(JSON.stringify(input)),
  ...facts,
});

const MAIL: JsonObject = {
  type: "object",
  properties: {
    to: { type: "string", format: "email" },
    "cc/bcc": { type: "array", items: { type: "string" } },
    tries: { type: "integer", minimum: 1, default: 3 },
  },
  required: ["to"],
  additionalProperties: false,
};

describe.each(ENGINES)("types of jobs at their submission on %s", (engine) => {
  let server: TestServer;

  beforeAll(async () => {
    server = await startServerOn(engine);
    const { organizationId } = server.admin;
    const organizations = server.clientOf(OrganizationService, server.operatorToken);
    await organizations.updateOrganization({ organizationId, limits: { maxRunning: 100 } });
  });
  afterAll(async () => {
    await server.stop();
  });

  const put = async (name: string, facts: Spec = {}) => {
    const { jobType, createdVersion } = await server.types.putJobType({
      spec: { name, work: HANDLER, ...facts },
    });
    if (jobType === undefined) throw new Error("no type");
    return { jobType, createdVersion };
  };
  const submit = async (name: string, input: unknown = null, facts: object = {}) => {
    const { job } = await server.jobs.submitJob({ spec: jobOf(name, input, facts) });
    if (job === undefined) throw new Error("no job");
    return job;
  };
  const actionsOn = async (subject: string): Promise<string[]> => {
    const { organizationId, userId, token } = server.admin;
    const organizations = server.clientOf(OrganizationService, token);
    const { events } = await organizations.listAuditEvents({ organizationId, subject });
    return events.map(({ action, actorId }) => `${action} by ${actorId === userId}`);
  };

  it("leave a job the version with which it was submitted", async () => {
    const name = aName();
    const runner = createHandRunner(server, { capabilities: [`handler:${name}-old`] });
    await put(name, { work: { case: "handler", value: { name: `${name}-old` } } });
    const running = await submit(name);
    const attempt = await runner.take();
    const waiting = await submit(name);
    await put(name, { work: { case: "command", value: { name: "new" } } });
    const newest = await submit(name);
    const chosen = await submit(name, null, { typeVersion: 1 });
    const old = await runner.take();
    const last = await runner.take();
    const taken = [attempt, old, last];
    expect(taken.map(({ typeVersion }) => typeVersion)).toEqual([1, 1, 1]);
    for (const one of taken) await runner.succeed(one);
    const jobs = [running, waiting, chosen, newest].map(async ({ id }) => {
      const { job } = await server.jobs.getJob({ jobId: id });
      return [job?.typeVersion, job?.state];
    });
    expect(await Promise.all(jobs)).toEqual([
      [1, JobState.SUCCEEDED],
      [1, JobState.SUCCEEDED],
      [1, JobState.SUCCEEDED],
      [2, JobState.QUEUED],
    ]);
  });

  it("hand their script to the runner, by its hash", async () => {
    const name = aName();
    const { jobType } = await put(name, { work: script("export default () => 42") });
    const job = await submit(name);
    const runner = createHandRunner(server, { capabilities: ["script"], slots: 50 });
    let attempt = await runner.take();
    while (attempt.attempt?.jobId !== job.id) attempt = await runner.take();
    expect(attempt).toMatchObject({ scriptHash: jobType.scriptHash, type: name });
    const { organizationId } = server.admin;
    const got = await server.runners.getScript({ organizationId, hash: attempt.scriptHash });
    expect(got.code).toBe("export default () => 42");
  });

  it("refuse an input with the path of each fault, and fill in the schema's defaults", async () => {
    const name = aName();
    await put(name, { inputSchema: MAIL });
    const bad = { to: "nobody", "cc/bcc": ["a", 2], tries: 0, colour: "red" };
    const refusal = await refusalOf(server.jobs.submitJob({ spec: jobOf(name, bad) }));
    expect(refusal).toMatchObject({ code: "InvalidArgument", reason: "INVALID_ARGUMENT" });
    expect(refusal.fields.toSorted()).toEqual([
      "spec.input/cc~1bcc/1",
      "spec.input/colour",
      "spec.input/to",
      "spec.input/tries",
    ]);
    const missing = await refusalOf(server.jobs.submitJob({ spec: jobOf(name, {}) }));
    expect(missing.fields).toEqual(["spec.input/to"]);
    const absent = server.jobs.submitJob({ spec: { work: jobOf(name).work } });
    expect((await refusalOf(absent)).fields).toEqual(["spec.input"]);

    const runner = createHandRunner(server, { capabilities: [`handler:${name}`] });
    await submit(name, { to: "a@example.org" });
    expect(JSON.parse((await runner.take()).inputJson)).toEqual({ to: "a@example.org", tries: 3 });
  });

  it("are looked at for each item of a batch, whose good ones are taken", async () => {
    const name = aName();
    await put(name, { inputSchema: MAIL });
    const inputs = [{ to: "a@example.org" }, { to: 1 }, { to: "b@example.org" }];
    const requests = [
      ...inputs.map((input) => ({ spec: jobOf(name, input) })),
      { spec: jobOf("nothing-of-that-name") },
    ];
    const { outcomes } = await server.jobs.submitJobs({ requests });
    const told = outcomes.map(({ outcome }) =>
      outcome.case === "error" ? outcome.value.message : outcome.case,
    );
    expect(told).toEqual([
      "submitted",
      "requests[1].spec.input/to must be string; it is 1.",
      "submitted",
      "There is no job type nothing-of-that-name.",
    ]);
  });

  it("that are not there are JOB_TYPE_NOT_FOUND, and so are versions that are not", async () => {
    const name = aName();
    await put(name);
    const unknown = server.jobs.submitJob({ spec: jobOf("unknown") });
    expect(await refusalOf(unknown)).toMatchObject({
      code: "NotFound",
      reason: "JOB_TYPE_NOT_FOUND",
      metadata: { type: "unknown" },
    });
    const version = server.jobs.submitJob({ spec: jobOf(name, null, { typeVersion: 2 }) });
    expect(await refusalOf(version)).toMatchObject({
      reason: "JOB_TYPE_NOT_FOUND",
      metadata: { type: name, version: "2" },
    });
    const everything = [
      server.types.getJobType({ name: "unknown" }),
      server.types.listJobTypeVersions({ name: "unknown" }),
      server.types.setJobTypeEnabled({ name: "unknown", enabled: true }),
      server.types.resumeJobType({ name: "unknown" }),
    ].map(refusalOf);
    const reasons = (await Promise.all(everything)).map(({ reason }) => reason);
    expect(new Set(reasons)).toEqual(new Set(["JOB_TYPE_NOT_FOUND"]));
  });

  it("take nothing while they are disabled, but the jobs that they took go on", async () => {
    const name = aName();
    await put(name);
    const taken = await submit(name, null);
    const requestId = systemRandom.uuid();
    const once = { spec: jobOf(name), requestId };
    const { job } = await server.jobs.submitJob(once);
    await server.types.setJobTypeEnabled({ name, enabled: false });
    expect(await refusalOf(server.jobs.submitJob({ spec: jobOf(name) }))).toMatchObject({
      code: "FailedPrecondition",
      reason: "JOB_TYPE_DISABLED",
    });
    const another = { spec: jobOf(name), requestId: systemRandom.uuid() };
    expect(await refusalOf(server.jobs.submitJob(another))).toMatchObject({
      reason: "JOB_TYPE_DISABLED",
    });
    // What was accepted once is not taken back: a client that did not hear the answer asks again.
    const again = await server.jobs.submitJob(once);
    expect(again).toMatchObject({ created: false, job: { id: job?.id } });
    // A new version does not enable it.
    await put(name, { description: "new" });
    expect((await server.types.getJobType({ name })).jobType?.enabled).toBe(false);
    const runner = createHandRunner(server, { capabilities: [`handler:${name}`] });
    expect((await runner.take()).attempt?.jobId).toBe(taken.id);

    const { jobType } = await server.types.setJobTypeEnabled({ name, enabled: true });
    expect(jobType).toMatchObject({ enabled: true, version: 2 });
    await server.types.setJobTypeEnabled({ name, enabled: true });
    await submit(name);
    expect(await actionsOn(name)).toEqual([
      "type.enable by true",
      "type.put by true",
      "type.disable by true",
      "type.put by true",
    ]);
  });

  it("run no more jobs at once than they may, also after their limit has changed", async () => {
    const name = aName();
    await put(name, { maxRunning: 1 });
    for (let count = 0; count < 3; count += 1) await submit(name);
    const runner = createHandRunner(server, { capabilities: [`handler:${name}`] });
    const running = async (): Promise<number> => {
      const filter = { type: name, states: [JobState.RUNNING] };
      return Number((await server.jobs.listJobs({ filter, includeTotal: true })).total);
    };
    const first = await runner.take();
    expect(await running()).toBe(1);
    await put(name, { maxRunning: 2 });
    const second = await runner.take();
    expect(await running()).toBe(2);
    await runner.succeed(first);
    await runner.succeed(second);
    await runner.succeed(await runner.take());
  });
});

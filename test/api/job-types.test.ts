import type { JsonObject, MessageInitShape } from "@bufbuild/protobuf";
import { afterAll, beforeAll, describe, expect, it } from "vitest";

import { valueOf } from "../../src/api/convert/json-value.ts";
import { ScriptLanguage } from "../../src/gen/millrace/v1/job_pb.ts";
import type { JobTypeSpecSchema } from "../../src/gen/millrace/v1/job_type_service_pb.ts";
import { OrganizationService } from "../../src/gen/millrace/v1/organization_service_pb.ts";
import { systemRandom } from "../../src/runtime/random.ts";
import { ENGINES } from "../support/databases.ts";
import { refusalOf } from "../support/refusal.ts";
import type { TestServer, TestUser } from "../support/server.ts";
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

describe.each(ENGINES)("job types on %s", (engine) => {
  let server: TestServer;
  let member: TestUser;
  let stranger: TestUser;

  beforeAll(async () => {
    server = await startServerOn(engine);
    const { organizationId } = server.admin;
    member = await server.addUser(organizationId, ["jobs:create", "jobs:view"]);
    stranger = await server.addUser(await server.addOrganization(), ["admin"]);
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
  const actionsOn = async (subject: string): Promise<string[]> => {
    const { organizationId, userId, token } = server.admin;
    const organizations = server.clientOf(OrganizationService, token);
    const { events } = await organizations.listAuditEvents({ organizationId, subject });
    return events.map(({ action, actorId }) => `${action} by ${actorId === userId}`);
  };

  it("are shown as they were put", async () => {
    const name = aName();
    const { jobType, createdVersion } = await put(name, {
      description: "Sends a mail. 📧",
      work: {
        case: "script",
        value: { source: "export default () => 1 as number;", language: ScriptLanguage.TYPESCRIPT },
      },
      inputSchema: MAIL,
      defaults: {
        priority: 0,
        attemptTimeout: { seconds: 5n, nanos: 500_000_000 },
        retryPolicy: { maxRetries: 0 },
        labels: { team: "mail" },
        concurrencyKey: "smtp",
        concurrencyPolicy: 2,
      },
      maxRunning: 3,
    });
    expect(createdVersion).toBe(true);
    const { jobType: read } = await server.typesOf(member).getJobType({ name });
    expect(read).toEqual(jobType);
    expect(read).toMatchObject({
      version: 1,
      newestVersion: 1,
      enabled: true,
      createdBy: server.admin.userId,
      scriptHash: expect.stringMatching(/^[0-9a-f]{64}$/),
      spec: {
        description: "Sends a mail. 📧",
        work: { case: "script", value: { language: ScriptLanguage.TYPESCRIPT } },
        inputSchema: MAIL,
        defaults: {
          priority: 0,
          attemptTimeout: { seconds: 5n, nanos: 500_000_000 },
          retryPolicy: { maxRetries: 0 },
          labels: { team: "mail" },
          concurrencyKey: "smtp",
        },
        maxRunning: 3,
      },
    });
    expect(read?.spec?.defaults?.totalTimeout).toBeUndefined();
    expect(read?.spec?.defaults?.retryPolicy?.jitter).toBeUndefined();
  });

  it("get a version with each new content, and none with the same again", async () => {
    const name = aName();
    const first = { work: script("export default 1"), inputSchema: { type: "object", title: "x" } };
    expect((await put(name, first)).createdVersion).toBe(true);
    const again = { ...first, inputSchema: { title: "x", type: "object" } };
    expect(await put(name, again)).toMatchObject({
      createdVersion: false,
      jobType: { version: 1 },
    });
    const limited = await put(name, { ...first, maxRunning: 2 });
    expect(limited).toMatchObject({
      createdVersion: false,
      jobType: { version: 1, spec: { maxRunning: 2 } },
    });
    const second = await put(name, { work: script("export default 2") });
    expect(second).toMatchObject({ createdVersion: true, jobType: { version: 2 } });
    expect(second.jobType.spec?.maxRunning).toBeUndefined();
    const back = await put(name, first);
    expect(back).toMatchObject({ createdVersion: true, jobType: { version: 3, newestVersion: 3 } });

    const pages: number[][] = [];
    let pageToken = "";
    do {
      const page = await server.types.listJobTypeVersions({ name, pageSize: 2, pageToken });
      pages.push(page.versions.map(({ version }) => version));
      expect(page.versions[0]?.spec?.inputSchema).toBeUndefined();
      pageToken = page.nextPageToken;
    } while (pageToken !== "");
    expect(pages).toEqual([[3, 2], [1]]);
    const { jobType: old } = await server.types.getJobType({ name, version: 2 });
    expect(old).toMatchObject({ version: 2, newestVersion: 3 });
    expect(old?.spec?.work.value).toMatchObject({ source: "export default 2" });
    expect(await actionsOn(name)).toEqual(Array.from({ length: 4 }, () => "type.put by true"));
  });

  it("say what would come of it, and change nothing, with validate_only", async () => {
    const name = aName();
    const spec = { name, work: HANDLER };
    const answer = await server.types.putJobType({ spec, validateOnly: true });
    expect(answer).toMatchObject({ createdVersion: true, jobType: { version: 1 } });
    expect(await refusalOf(server.types.getJobType({ name }))).toMatchObject({
      reason: "JOB_TYPE_NOT_FOUND",
    });
    expect(await actionsOn(name)).toEqual([]);
  });

  it("put at the same time all get a version of their own, and none is lost", async () => {
    const name = aName();
    const sources = Array.from({ length: 8 }, (_, n) => `export default ${n}`);
    const made = await Promise.all(
      sources.map(async (source) => await put(name, { work: script(source) })),
    );
    const versions = made.map(({ jobType }) => jobType.version);
    expect(versions.toSorted((a, b) => a - b)).toEqual([1, 2, 3, 4, 5, 6, 7, 8]);
    for (const [index, version] of versions.entries()) {
      const { jobType } = await server.types.getJobType({ name, version });
      expect(jobType?.spec?.work.value).toMatchObject({ source: sources[index] });
    }
    const same = await Promise.all([1, 2, 3].map(async () => await put(name)));
    expect(same.filter(({ createdVersion }) => createdVersion)).toHaveLength(1);
  });

  it("of another organization do not exist", async () => {
    const name = aName();
    await put(name);
    const theirs = server.typesOf(stranger);
    const own = await refusalOf(theirs.getJobType({ name: "unknown" }));
    const foreign = await refusalOf(theirs.getJobType({ name }));
    expect(JSON.stringify(foreign).replaceAll(name, "unknown")).toBe(JSON.stringify(own));
    expect((await theirs.listJobTypes({})).jobTypes).toEqual([]);
    const submitted = server.jobsOf(stranger).submitJob({ spec: jobOf(name) });
    expect(await refusalOf(submitted)).toMatchObject({ reason: "JOB_TYPE_NOT_FOUND" });
    await theirs.putJobType({ spec: { name, work: script("export default 'theirs'") } });
    expect((await server.types.getJobType({ name })).jobType?.spec?.work.case).toBe("handler");
    const { nextPageToken } = await server.types.listJobTypes({ pageSize: 1 });
    expect((await refusalOf(theirs.listJobTypes({ pageToken: nextPageToken }))).fields).toEqual([
      "page_token",
    ]);
  });

  it("are read by who creates or views jobs, and changed by admins alone", async () => {
    const name = aName();
    await put(name);
    const metrics = await server.addUser(server.admin.organizationId, ["job-read"]);
    expect(await refusalOf(server.typesOf(metrics).getJobType({ name }))).toMatchObject({
      reason: "PERMISSION_DENIED",
    });
    const types = server.typesOf(member);
    const names = (await types.listJobTypes({ pageSize: 1_000 })).jobTypes.map(
      ({ spec }) => spec?.name,
    );
    expect(names).toContain(name);
    expect(names).toEqual(names.toSorted());
    const changes = [
      types.putJobType({ spec: { name, work: HANDLER } }),
      types.setJobTypeEnabled({ name, enabled: false }),
      types.resumeJobType({ name }),
    ].map(refusalOf);
    const reasons = (await Promise.all(changes)).map(({ reason }) => reason);
    expect(new Set(reasons)).toEqual(new Set(["PERMISSION_DENIED"]));
  });

  it("are refused with everything that is wrong with them", async () => {
    const spec = {
      name: "no good",
      description: "d".repeat(1_001),
      work: script("export default = 1"),
      inputSchema: { type: "objekt", properties: { a: { minimum: "1" } } },
      defaults: {
        priority: 101,
        attemptTimeout: { seconds: -1n },
        retryPolicy: { jitter: 2 },
        labels: { "?": "" },
        concurrencyPolicy: 9 as never,
      },
      maxRunning: 0,
    };
    expect((await refusalOf(server.types.putJobType({ spec }))).fields.toSorted()).toEqual([
      "spec.defaults.attempt_timeout",
      "spec.defaults.concurrency_policy",
      'spec.defaults.labels["?"]',
      "spec.defaults.priority",
      "spec.defaults.retry_policy.jitter",
      "spec.description",
      "spec.max_running",
      "spec.name",
      "spec.script.source",
    ]);
    const schema = server.types.putJobType({
      spec: { name: "x", work: HANDLER, inputSchema: spec.inputSchema },
    });
    expect(new Set((await refusalOf(schema)).fields)).toEqual(
      new Set(["spec.input_schema/properties/a/minimum", "spec.input_schema/type"]),
    );
    const large = { enum: Array.from({ length: 60_000 }, (_, n) => n) };
    const tooLarge = server.types.putJobType({
      spec: { name: "x", work: HANDLER, inputSchema: large },
    });
    expect(await refusalOf(tooLarge)).toMatchObject({ fields: ["spec.input_schema"] });
    expect((await refusalOf(server.types.putJobType({ spec: { name: "x" } }))).fields).toEqual([
      "spec.work",
    ]);
  });
});

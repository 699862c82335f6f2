import { durationFromMs } from "@bufbuild/protobuf/wkt";
import { afterAll, beforeAll, describe, expect, it } from "vitest";

import { OrganizationService } from "../../src/gen/millrace/v1/organization_service_pb.ts";
import { JobState } from "../../src/gen/millrace/v1/job_pb.ts";
import { ABILITIES } from "../../src/jobs/abilities.ts";
import { systemRandom } from "../../src/runtime/random.ts";
import { ENGINES } from "../support/databases.ts";
import { refusalOf } from "../support/refusal.ts";
import type { TestServer, TestUser } from "../support/server.ts";
import { startServerOn } from "../support/server-on.ts";

describe.each(ENGINES)("organizations on %s", (engine) => {
  let server: TestServer;
  let member: TestUser;
  beforeAll(async () => {
    server = await startServerOn(engine);
    member = await server.addUser(server.admin.organizationId, ABILITIES);
  });
  afterAll(async () => {
    await server.stop();
  });

  const asOperator = () => server.clientOf(OrganizationService, server.operatorToken);
  const as = (user: TestUser) => server.clientOf(OrganizationService, user.token);

  const create = async (name: string, limits = {}) => {
    const { organization } = await asOperator().createOrganization({ name, limits });
    if (organization === undefined) throw new Error("no organization");
    return organization;
  };

  it("an operator makes one, with the limits as set and as they count", async () => {
    const organization = await create("Globex 🚀", {
      maxRunning: 0,
      weight: 7,
      retention: durationFromMs(1_000),
    });
    expect(organization).toMatchObject({
      name: "Globex 🚀",
      limits: { maxRunning: 0, weight: 7, retention: { seconds: 1n } },
      effectiveLimits: { maxRunning: 0, maxQueued: 1_000_000, weight: 7 },
    });
    expect(organization.limits?.maxQueued).toBeUndefined();
    const { id: organizationId } = organization;
    expect((await asOperator().getOrganization({ organizationId })).organization).toEqual(
      organization,
    );
  });

  it("a name is given once, also of two who ask at the same time", async () => {
    await create("initech");
    expect(await refusalOf(create("initech"))).toMatchObject({
      code: "AlreadyExists",
      reason: "ORGANIZATION_ALREADY_EXISTS",
    });
    const both = await Promise.allSettled([create("hooli"), create("hooli")]);
    expect(both.map(({ status }) => status).toSorted()).toEqual(["fulfilled", "rejected"]);
    const { id: organizationId } = await create("umbrella");
    const renamed = asOperator().updateOrganization({ organizationId, name: "initech" });
    expect(await refusalOf(renamed)).toMatchObject({ reason: "ORGANIZATION_ALREADY_EXISTS" });
  });

  it("a change of limits sets all of them, a change of the name none", async () => {
    const { id: organizationId } = await create("soylent", { maxRunning: 3, maxQueued: 4 });
    const renamed = await asOperator().updateOrganization({
      organizationId,
      name: "soylent green",
    });
    expect(renamed.organization).toMatchObject({
      name: "soylent green",
      limits: { maxRunning: 3, maxQueued: 4 },
    });
    await asOperator().updateOrganization({ organizationId, limits: { weight: 2 } });
    const { organization } = await asOperator().getOrganization({ organizationId });
    expect(organization).toMatchObject({
      name: "soylent green",
      effectiveLimits: { maxRunning: 5, maxQueued: 1_000_000, weight: 2 },
    });
  });

  it("new limits count at once for jobs of an organization that is at work already", async () => {
    const organizationId = await server.addOrganization({ maxQueued: 1 });
    const user = await server.addUser(organizationId, ABILITIES);
    const jobs = server.jobsOf(user);
    const spec = { work: { case: "script" as const, value: { source: "export default 1" } } };
    await jobs.submitJob({ spec });
    expect(await refusalOf(jobs.submitJob({ spec }))).toMatchObject({ reason: "QUEUE_FULL" });
    await asOperator().updateOrganization({ organizationId, limits: { maxQueued: 2 } });
    expect((await jobs.submitJob({ spec })).job?.state).toBe(JobState.QUEUED);
    expect(await refusalOf(jobs.submitJob({ spec }))).toMatchObject({
      reason: "QUEUE_FULL",
      metadata: { max_queued: "2" },
    });
  });

  it("an operator lists all of them, page by page", async () => {
    const seen: string[] = [];
    let pageToken = "";
    do {
      const page = await asOperator().listOrganizations({ pageSize: 2, pageToken });
      expect(page.organizations.length).toBeLessThanOrEqual(2);
      seen.push(...page.organizations.map(({ id }) => id));
      pageToken = page.nextPageToken;
    } while (pageToken !== "");
    expect(seen).toEqual([...new Set(seen)].toSorted());
    expect(seen).toContain(server.admin.organizationId);
    const forged = asOperator().listOrganizations({ pageToken: "e30.AAAA" });
    expect(await refusalOf(forged)).toMatchObject({ fields: ["page_token"] });
  });

  it("every user sees his own; another's is as if it were not there", async () => {
    const { organizationId } = member;
    for (const request of [{}, { organizationId }]) {
      const { organization } = await as(member).getOrganization(request);
      expect(organization?.name).toBe("acme");
    }
    const other = await server.addOrganization();
    const absent = systemRandom.uuid();
    const answer = async (id: string): Promise<string> =>
      JSON.stringify(
        await refusalOf(as(server.admin).getOrganization({ organizationId: id })),
      ).replaceAll(id, "<id>");
    expect(await answer(other)).toBe(await answer(absent));
    expect(await answer(other)).toContain("ORGANIZATION_NOT_FOUND");
  });

  it("users may not make, list or change them; an operator has to name the one he means", async () => {
    const { organizationId } = server.admin;
    for (const call of [
      as(server.admin).createOrganization({ name: "mine" }),
      as(server.admin).listOrganizations({}),
      as(server.admin).updateOrganization({ organizationId, limits: { maxRunning: 1_000 } }),
    ]) {
      expect(await refusalOf(call)).toMatchObject({ reason: "PERMISSION_DENIED" });
    }
    expect(await refusalOf(asOperator().getOrganization({}))).toMatchObject({
      fields: ["organization_id"],
    });
    for (const id of ["x", "é", systemRandom.uuid()]) {
      expect(await refusalOf(asOperator().getOrganization({ organizationId: id }))).toMatchObject({
        reason: "ORGANIZATION_NOT_FOUND",
      });
    }
  });

  it("bad names and limits are refused, with all of their fields", async () => {
    for (const name of ["", "x".repeat(201), " acme", "acme ", "a\nb"]) {
      expect(await refusalOf(create(name)), JSON.stringify(name)).toMatchObject({
        reason: "INVALID_ARGUMENT",
        fields: ["name"],
      });
    }
    const limits = {
      maxRunning: -1,
      maxQueued: 10_000_001,
      weight: 0,
      retention: durationFromMs(1),
    };
    expect(await refusalOf(create("", limits))).toMatchObject({
      fields: [
        "name",
        "limits.max_running",
        "limits.max_queued",
        "limits.weight",
        "limits.retention",
      ],
    });
    expect(await refusalOf(asOperator().listOrganizations({ pageSize: 1_001 }))).toMatchObject({
      fields: ["page_size"],
    });
  });
});

import { createClient, type Transport } from "@connectrpc/connect";
import { createConnectTransport } from "@connectrpc/connect-node";
import { afterAll, beforeAll, describe, expect, it } from "vitest";

import { JobService } from "../../src/gen/millrace/v1/job_service_pb.ts";
import { OrganizationService } from "../../src/gen/millrace/v1/organization_service_pb.ts";
import { UserService } from "../../src/gen/millrace/v1/user_service_pb.ts";
import { ABILITIES } from "../../src/jobs/abilities.ts";
import { ENGINES } from "../support/databases.ts";
import { createHandRunner } from "../support/hand-runner.ts";
import { refusalOf } from "../support/refusal.ts";
import { bearer, type TestServer, type TestUser } from "../support/server.ts";
import { startServerOn } from "../support/server-on.ts";

const spec = { work: { case: "type" as const, value: "idle" } };

/** The public part of a token. */
const idOf = (token: string): string => token.split("_")[1] ?? "";

describe.each(ENGINES)("the audit log on %s", (engine) => {
  let server: TestServer;
  let member: TestUser;
  beforeAll(async () => {
    server = await startServerOn(engine);
    member = await server.addUser(server.admin.organizationId, ABILITIES);
  });
  afterAll(async () => {
    await server.stop();
  });

  const log = (token = server.admin.token) => server.clientOf(OrganizationService, token);
  const users = () => server.clientOf(UserService, server.admin.token);
  const linesOf = async (subject: string) => {
    const { events } = await log().listAuditEvents({ subject });
    return events.map(({ action, actorId, tokenId, address, details }) => ({
      action,
      actorId,
      tokenId,
      address,
      ...(details === undefined ? {} : { details }),
    }));
  };
  const from = (user: TestUser) => ({
    actorId: user.userId,
    tokenId: idOf(user.token),
    address: "127.0.0.1",
  });

  it("tells who submitted, released, retried and cancelled a job, with what token and from where", async () => {
    const runner = createHandRunner(server, { capabilities: ["handler:idle"] });
    const { userId } = member;
    await users().setUserAttribute({ userId, name: "deferred-action", value: "true" });
    const { job } = await server.jobsOf(member).submitJob({ spec });
    const jobId = job?.id ?? "";
    await users().setUserAttribute({ userId, name: "release-job", value: jobId });
    await runner.fail(await runner.take(), "no", false);
    await server.jobs.retryJob({ jobId });
    await server.jobsOf(member).cancelJob({ jobId });
    await users().removeUserAttribute({ userId, name: "deferred-action", value: "true" });
    expect(await linesOf(jobId)).toEqual([
      { action: "job.cancel", ...from(member) },
      { action: "job.retry", ...from(server.admin) },
      { action: "job.release", ...from(server.admin), details: { user: userId } },
      { action: "job.submit", ...from(member), details: { deferred: true, held: true } },
    ]);
    const forUser = await linesOf(userId);
    expect(
      forUser.map(({ action, details }) => [action, details?.["name"], details?.["value"]]),
    ).toEqual([
      ["user.remove-attribute", "deferred-action", "true"],
      ["user.set-attribute", "release-job", jobId],
      ["user.set-attribute", "deferred-action", "true"],
    ]);
  });

  it("knows the address behind every protocol", async () => {
    const over: Record<string, Transport> = Object.fromEntries(
      (["1.1", "2"] as const).map((httpVersion) => {
        const interceptors = [bearer(member.token)];
        const baseUrl = server.publicUrl;
        return [httpVersion, createConnectTransport({ baseUrl, httpVersion, interceptors })];
      }),
    );
    for (const transport of Object.values(over)) {
      const jobs = createClient(JobService, transport);
      const { job } = await jobs.submitJob({ spec });
      await jobs.cancelJob({ jobId: job?.id ?? "" });
      expect(await linesOf(job?.id ?? "")).toEqual([
        { action: "job.cancel", ...from(member) },
        { action: "job.submit", ...from(member) },
      ]);
    }
  });

  it("tells what an operator and an admin changed of organizations and users", async () => {
    const operator = { actorId: "", tokenId: idOf(server.operatorToken), address: "127.0.0.1" };
    const { organization } = await log(server.operatorToken).createOrganization({ name: "globex" });
    const organizationId = organization?.id ?? "";
    await log(server.operatorToken).updateOrganization({ organizationId, limits: { weight: 2 } });
    const { events } = await log(server.operatorToken).listAuditEvents({ organizationId });
    expect(events).toMatchObject([
      {
        action: "organization.update",
        subject: organizationId,
        details: { weight: 2 },
        ...operator,
      },
      { action: "organization.create", details: { name: "globex", weight: null }, ...operator },
    ]);
    const { user } = await users().createUser({ name: "Ada" });
    await users().updateUser({ userId: user?.id ?? "", disabled: true });
    expect(await linesOf(user?.id ?? "")).toMatchObject([
      { action: "user.update", details: { name: "Ada", disabled: true }, ...from(server.admin) },
      { action: "user.create", details: { disabled: false, roles: [] } },
    ]);
  });

  it("comes in pages, newest first, and a page token is good for its subject only", async () => {
    const submitted: string[] = [];
    for (let count = 0; count < 3; count += 1) {
      submitted.unshift((await server.jobs.submitJob({ spec })).job?.id ?? "");
    }
    const first = await log().listAuditEvents({ pageSize: 2 });
    const second = await log().listAuditEvents({ pageSize: 2, pageToken: first.nextPageToken });
    const events = [...first.events, ...second.events];
    expect(events.slice(0, 3).map(({ subject }) => subject)).toEqual(submitted);
    expect(new Set(events.map(({ id }) => id)).size).toBe(4);
    const other = { subject: submitted[0] ?? "", pageToken: first.nextPageToken };
    expect(await refusalOf(log().listAuditEvents(other))).toMatchObject({ fields: ["page_token"] });
  });

  it("is for admins of the organization and for operators who name it", async () => {
    expect(await refusalOf(log(member.token).listAuditEvents({}))).toMatchObject({
      reason: "PERMISSION_DENIED",
    });
    const { organizationId } = server.admin;
    const stranger = await server.addUser(await server.addOrganization(), ["admin"]);
    expect((await log(stranger.token).listAuditEvents({})).events).toEqual([]);
    expect(await refusalOf(log(stranger.token).listAuditEvents({ organizationId }))).toMatchObject({
      reason: "ORGANIZATION_NOT_FOUND",
    });
    expect(await refusalOf(log(server.operatorToken).listAuditEvents({}))).toMatchObject({
      fields: ["organization_id"],
    });
    const told = await log(server.operatorToken).listAuditEvents({ organizationId, pageSize: 1 });
    expect(told.events).toHaveLength(1);
    for (const subject of ["é", "x".repeat(101)]) {
      expect(await refusalOf(log().listAuditEvents({ subject }))).toMatchObject({
        fields: ["subject"],
      });
    }
  });
});

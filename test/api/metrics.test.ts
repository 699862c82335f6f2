import { ConnectError } from "@connectrpc/connect";
import { afterAll, beforeAll, describe, expect, it } from "vitest";

import { shardOf } from "../../src/cluster/shard-of.ts";
import { JobState } from "../../src/gen/millrace/v1/job_pb.ts";
import {
  Metric,
  MetricsService,
  Resolution,
} from "../../src/gen/millrace/v1/metrics_service_pb.ts";
import { MEMBER_PERMISSIONS } from "../../src/jobs/abilities.ts";
import { LIMITS } from "../../src/jobs/limits.ts";
import { systemClock } from "../../src/runtime/clock.ts";
import { systemRandom } from "../../src/runtime/random.ts";
import { ENGINES } from "../support/databases.ts";
import { eventually } from "../support/eventually.ts";
import { createHandRunner } from "../support/hand-runner.ts";
import { refusalOf } from "../support/refusal.ts";
import { startTestServer, type TestUser } from "../support/server.ts";
import { startServerOn } from "../support/server-on.ts";
import { createMigrated } from "../support/templates.ts";

const CAPABILITIES = ["handler:mail", "handler:print"];
const COUNTS = [Metric.SUBMITTED, Metric.STARTED, Metric.SUCCEEDED, Metric.FAILED];
const ago = (seconds: number) => ({
  seconds: BigInt(Math.floor(systemClock.now() / 1_000) - seconds),
});

describe.each(ENGINES)("metrics through the public API on %s", (engine) => {
  let server: Awaited<ReturnType<typeof startServerOn>>;
  beforeAll(async () => {
    server = await startServerOn(engine, { handlers: ["mail", "print"] });
  });
  afterAll(async () => {
    await server.stop();
  });

  const metricsOf = (user: Pick<TestUser, "token">) => server.clientOf(MetricsService, user.token);
  const submit = async (type: string): Promise<void> => {
    await server.jobs.submitJob({ spec: { work: { case: "type", value: type } } });
  };
  const member = async (): Promise<TestUser> =>
    await server.addUser(server.admin.organizationId, MEMBER_PERMISSIONS);

  it("count what happened up to the last commit, by type and over all", async () => {
    const runner = createHandRunner(server, { slots: 1, capabilities: CAPABILITIES });
    await submit("mail");
    await submit("print");
    await submit("print");
    await runner.succeed(await runner.take());
    await runner.fail(await runner.take(), "on purpose");

    const metrics = metricsOf(server.admin);
    const { series, resolution } = await metrics.queryMetrics({
      metrics: [...COUNTS, Metric.RUN_DURATION],
      startTime: ago(600),
    });
    expect(resolution).toBe(Resolution.MINUTE);
    const totals = series.map(({ metric, total }) => [metric, total?.value.value]);
    expect(totals.slice(0, 4)).toEqual([
      [Metric.SUBMITTED, 3n],
      // The slot that became free was given to the third one at once.
      [Metric.STARTED, 3n],
      [Metric.SUCCEEDED, 1n],
      [Metric.FAILED, 1n],
    ]);
    expect(totals[4]?.[1]).toMatchObject({ count: 2n });

    const byType = await metrics.queryMetrics({
      metrics: [Metric.SUBMITTED],
      startTime: ago(600),
      byType: true,
      resolution: Resolution.DAY,
    });
    expect(byType.series.map(({ type, total }) => [type, total?.value.value])).toEqual([
      ["mail", 1n],
      ["print", 2n],
    ]);
    const current = await metrics.getCurrentMetrics({ byType: true });
    expect(current.metrics).toMatchObject([
      { type: "print", counts: [{ state: JobState.RUNNING, count: 1n }] },
    ]);
    await submit("mail");
    const all = await metrics.getCurrentMetrics({});
    expect(all.metrics[0]?.counts).toHaveLength(2);
    const mail = await metrics.getCurrentMetrics({ types: ["mail", "none"] });
    expect(mail.metrics).toMatchObject([{ counts: [{ state: JobState.QUEUED, count: 1n }] }]);
  });

  it("are read by those with job-read, by those to whom they were granted, and by nobody else", async () => {
    const user = await member();
    const [metrics, admin] = [metricsOf(user), metricsOf(server.admin)];
    const query = { metrics: [Metric.SUBMITTED], types: ["mail"], startTime: ago(600) };
    const refused = await refusalOf(metrics.queryMetrics(query));
    expect(refused).toMatchObject({ reason: "PERMISSION_DENIED" });
    await admin.putMetricGrant({
      grant: { userId: user.userId, metrics: [Metric.SUBMITTED], types: ["mail"] },
    });
    const answer = await metrics.queryMetrics(query);
    expect(answer.series[0]?.total?.value.value).toBeGreaterThan(0n);
    for (const more of [
      { types: [] },
      { types: ["mail", "print"] },
      { metrics: [Metric.SUBMITTED, Metric.FAILED] },
    ]) {
      expect(await refusalOf(metrics.queryMetrics({ ...query, ...more }))).toMatchObject({
        reason: "PERMISSION_DENIED",
      });
    }
    expect(await refusalOf(metrics.getCurrentMetrics({}))).toMatchObject({
      reason: "PERMISSION_DENIED",
    });
    const reader = await server.addUser(server.admin.organizationId, ["job-read"]);
    await metricsOf(reader).queryMetrics({ ...query, types: [] });

    const { grants } = await admin.listMetricGrants({});
    expect(grants).toMatchObject([
      { userId: user.userId, types: ["mail"], createdBy: server.admin.userId },
    ]);
    await admin.deleteMetricGrant({ userId: user.userId });
    await admin.deleteMetricGrant({ userId: user.userId });
    expect(await refusalOf(metrics.queryMetrics(query))).toMatchObject({
      reason: "PERMISSION_DENIED",
    });
    const shardId = 0;
    const place = { shardId, organizationId: server.admin.organizationId };
    if (engine === "sqlite") {
      const page = { before: null, limit: 10 };
      const lines = await server.store.identity.listAudit(place, user.userId, page);
      expect(lines.map(({ action }) => action)).toEqual([
        "metric-grant.delete",
        "metric-grant.put",
      ]);
    }
  });

  it("are granted to 1,000 users at most", async () => {
    const { organizationId } = server.admin;
    const most = LIMITS.metricGrants;
    const shards = (await server.store.shards.list()).length;
    const shardId = shardOf(organizationId, shards);
    const rows = Array.from(
      { length: most - 1 },
      (_, index) => `(${shardId}, '${organizationId}', '${index}', '1', '[]', '', 1)`,
    );
    await server.database.query(
      `INSERT INTO metric_grants (shard_id, organization_id, user_id, metrics, types, created_by, created_at) VALUES ${rows.join(", ")}`,
    );
    const admin = metricsOf(server.admin);
    const [last, more] = [await member(), await member()];
    const grantTo = ({ userId }: TestUser) => ({ grant: { userId, metrics: [Metric.FAILED] } });
    await admin.putMetricGrant(grantTo(last));
    expect(await refusalOf(admin.putMetricGrant(grantTo(more)))).toMatchObject({
      reason: "TOO_MANY_METRIC_GRANTS",
      metadata: { limit: "1000" },
    });
    // Another one for somebody who has one is no more.
    await admin.putMetricGrant(grantTo(last));
    await admin.deleteMetricGrant({ userId: last.userId });
    await admin.putMetricGrant(grantTo(more));
    await server.database.query("DELETE FROM metric_grants");
  });

  it("of one organization are not those of another", async () => {
    const stranger = await server.addUser(await server.addOrganization(), ["admin"]);
    const { series } = await metricsOf(stranger).queryMetrics({
      metrics: [Metric.SUBMITTED],
      startTime: ago(600),
    });
    expect(series).toMatchObject([{ points: [], total: { value: { value: 0n } } }]);
    const { metrics } = await metricsOf(stranger).getCurrentMetrics({});
    expect(metrics).toMatchObject([{ counts: [] }]);
  });

  it("refuse what they do not know, with field, limit and value", async () => {
    const metrics = metricsOf(server.admin);
    const faultsOf = async (request: Parameters<typeof metrics.queryMetrics>[0]) =>
      await metrics.queryMetrics(request).then(
        () => "it was answered",
        (caught: unknown) => ConnectError.from(caught).rawMessage,
      );
    const good = { metrics: [Metric.FAILED], startTime: ago(60) };
    expect(await faultsOf({ ...good, metrics: [] })).toContain("metrics must be 1 to 10");
    expect(await faultsOf({ ...good, metrics: [Metric.CURRENT] })).toContain(
      "it is METRIC_CURRENT",
    );
    expect(await faultsOf({ metrics: [Metric.FAILED] })).toContain("start_time is missing");
    expect(await faultsOf({ ...good, types: ["no type!"] })).toContain("types[0] must be a type");
    expect(await faultsOf({ ...good, types: Array.from({ length: 51 }, () => "a") })).toContain(
      "types must be at most 50; there are 51.",
    );
    expect(
      await faultsOf({ ...good, startTime: ago(90_001), resolution: Resolution.MINUTE }),
    ).toMatch(/must give at most 1500 points; it gives 150\d/);
    const nobody = systemRandom.uuid();
    const grant = { userId: nobody, metrics: [Metric.FAILED] };
    expect(await refusalOf(metrics.putMetricGrant({ grant }))).toMatchObject({
      reason: "USER_NOT_FOUND",
    });
    expect(await refusalOf(metrics.putMetricGrant({}))).toMatchObject({
      reason: "INVALID_ARGUMENT",
      fields: ["grant"],
    });
  });
});

describe("grants on two servers", () => {
  it("count on the one that was not asked, too, and so does that they were taken back", async () => {
    await using stack = new AsyncDisposableStack();
    const database = await createMigrated("mysql");
    stack.defer(async () => await database.drop());
    const here = await startTestServer({ databaseUrl: database.url });
    stack.defer(async () => await here.stop());
    const there = await startTestServer({ databaseUrl: database.url, organization: "other" });
    stack.defer(async () => await there.stop());
    const { organizationId } = here.admin;
    const user = await here.addUser(organizationId, MEMBER_PERMISSIONS);
    const admin = here.clientOf(MetricsService, here.admin.token);
    const reader = there.clientOf(MetricsService, user.token);
    const query = { metrics: [Metric.FAILED], startTime: ago(600) };
    const mayRead = async (): Promise<readonly boolean[]> => [
      await reader.queryMetrics(query).then(
        () => true,
        () => false,
      ),
      (await fetch(`${there.publicUrl}/public/metrics/${organizationId}`)).ok,
    ];
    const comesTo = async (expected: boolean): Promise<void> => {
      await eventually(async () => {
        expect(await mayRead()).toEqual([expected, expected]);
      });
    };
    expect(await mayRead()).toEqual([false, false]);
    const userIds = [user.userId, ""];
    for (const userId of userIds) {
      await admin.putMetricGrant({ grant: { userId, metrics: [Metric.FAILED] } });
    }
    await comesTo(true);
    for (const userId of userIds) await admin.deleteMetricGrant({ userId });
    await comesTo(false);
  });
});

import { afterAll, beforeAll, describe, expect, it } from "vitest";

import { Metric, MetricsService } from "../../src/gen/millrace/v1/metrics_service_pb.ts";
import { OrganizationService } from "../../src/gen/millrace/v1/organization_service_pb.ts";
import { systemRandom } from "../../src/runtime/random.ts";
import { createBuckets } from "../../src/metrics/buckets.ts";
import { PUBLIC_RATES } from "../../src/api/metrics-service/public.ts";
import { createManualClock } from "../support/manual-clock.ts";
import { startTestServer, type TestServer } from "../support/server.ts";

describe("metrics that were opened to everybody", () => {
  let server: TestServer;
  beforeAll(async () => {
    server = await startTestServer({ handlers: ["mail", "print"] });
    for (const type of ["mail", "print"]) {
      await server.jobs.submitJob({ spec: { work: { case: "type", value: type } } });
    }
  });
  afterAll(async () => {
    await server.stop();
  });

  const get = async (id: string, query = ""): Promise<{ status: number; body: unknown }> => {
    const response = await fetch(`${server.publicUrl}/public/metrics/${id}${query}`);
    return { status: response.status, body: await response.json() };
  };
  const open = async (facts: object): Promise<void> => {
    await server.clientOf(MetricsService, server.admin.token).putMetricGrant({ grant: facts });
  };
  const close = async (): Promise<void> => {
    await server.clientOf(MetricsService, server.admin.token).deleteMetricGrant({});
  };

  it("are read without a login, in the shape of the RPCs; nothing else is", async () => {
    const { organizationId } = server.admin;
    const closed = await get(organizationId);
    expect(closed).toEqual(await get(systemRandom.uuid()));
    expect(closed.status).toBe(404);

    await open({ metrics: [Metric.SUBMITTED, Metric.CURRENT], types: ["mail"] });
    expect(await get(organizationId)).toMatchObject({
      status: 200,
      body: {
        resolution: "RESOLUTION_MINUTE",
        series: [{ metric: "METRIC_SUBMITTED", total: { count: "1" } }],
        metrics: [{ counts: [{ state: "JOB_STATE_QUEUED", count: "1" }] }],
      },
    });
    const byType = "?metrics=submitted&types=mail&by_type=true&resolution=hour";
    expect(await get(organizationId, byType)).toMatchObject({
      status: 200,
      body: { resolution: "RESOLUTION_HOUR", series: [{ type: "mail" }] },
    });
    for (const query of ["?types=print", "?types=unknown", "?metrics=failed"]) {
      expect(await get(organizationId, query)).toMatchObject({ status: 403 });
    }
    expect(await get(organizationId, "?metrics=nothing&color=red")).toEqual({
      status: 400,
      body: {
        code: "invalid_argument",
        message: "color is not known here. (and 1 more)",
      },
    });
    expect(await get(organizationId, "?metrics=submitted&metrics=failed")).toMatchObject({
      status: 400,
      body: { message: "metrics is there more than once." },
    });
    const posted = await fetch(`${server.publicUrl}/public/metrics/${organizationId}`, {
      method: "POST",
    });
    expect([posted.status, posted.headers.get("allow")]).toEqual([405, "GET, HEAD"]);
    let asked = 0;
    const { metrics } = server.store;
    const { points } = metrics;
    metrics.points = async (...wanted) => {
      asked += 1;
      return await points(...wanted);
    };
    const same = "?metrics=submitted&resolution=day";
    await Promise.all(Array.from({ length: 5 }, async () => await get(organizationId, same)));
    metrics.points = points;
    expect(asked).toBeLessThan(5);

    await close();
    expect(await get(organizationId)).toEqual(closed);
  });

  it("are not given out too often", async () => {
    await open({ metrics: [Metric.SUBMITTED] });
    const { organizationId } = server.admin;
    const answers = await Promise.all(
      Array.from(
        { length: PUBLIC_RATES.address.burst + 20 },
        // Nobody is another one by saying so.
        async (_, index) => await getAs(`203.0.113.${index}`, organizationId, server),
      ),
    );
    const refused = answers.filter(({ status }) => status === 429);
    expect(refused.length).toBeGreaterThan(0);
    expect(Number(refused[0]?.headers.get("retry-after"))).toBeGreaterThan(0);
    expect(answers.filter(({ status }) => status === 200).length).toBeGreaterThan(0);
  });

  it("are limited for each reader behind a proxy that is trusted", async () => {
    const behind = await startTestServer({
      environment: { MILLRACE_TRUSTED_PROXIES: "127.0.0.1" },
    });
    const id = systemRandom.uuid();
    const asked = PUBLIC_RATES.address.burst + 20;
    const ask = async (reader: (index: number) => string): Promise<Set<number>> =>
      new Set(
        await Promise.all(
          Array.from(
            { length: asked },
            async (_, index) => (await getAs(reader(index), id, behind)).status,
          ),
        ),
      );
    expect(await ask((index) => `203.0.113.${index}`)).toEqual(new Set([404]));
    // One who has a network of his own to call from is one.
    expect(await ask((index) => `2001:db8:1:2::${index}`)).toContain(429);
    const { jobs, admin } = behind;
    await jobs.submitJob(
      { spec: { work: { case: "type", value: "idle" } } },
      { headers: { "x-forwarded-for": "198.51.100.1, 203.0.113.77" } },
    );
    const audit = behind.clientOf(OrganizationService, admin.token);
    const { events } = await audit.listAuditEvents({ pageSize: 1 });
    expect(events).toMatchObject([{ action: "job.submit", address: "203.0.113.77" }]);
    await behind.stop();
  });
});

const getAs = async (
  address: string,
  organizationId: string,
  { publicUrl }: TestServer,
): Promise<Response> =>
  await fetch(`${publicUrl}/public/metrics/${organizationId}`, {
    headers: { "x-forwarded-for": address },
  });

it("a bucket gives so many at once, and so many a second from then on, to each key", () => {
  const clock = createManualClock();
  const buckets = createBuckets({ clock, perSecond: 2, burst: 3, max: 2 });
  expect([1, 2, 3].map(() => buckets.take("a"))).toEqual([0, 0, 0]);
  expect(buckets.take("a")).toBe(500);
  expect(buckets.take("b")).toBe(0);
  clock.advance(499);
  expect(buckets.take("a")).toBeGreaterThan(0);
  clock.advance(1);
  expect(buckets.take("a")).toBe(0);
  expect(buckets.take("a")).toBe(500);
  clock.advance(60_000);
  expect([1, 2, 3].map(() => buckets.take("a"))).toEqual([0, 0, 0]);
  expect(buckets.take("a")).toBe(500);
});

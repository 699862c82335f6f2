import { execFile } from "node:child_process";
import { mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import path from "node:path";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";

import { afterAll, beforeAll, describe, expect, it } from "vitest";

import { renderDashboard } from "../../scripts/render-dashboard.ts";
import { ROWS } from "../../scripts/dashboard/panels.ts";
import { ALL, CHOSEN } from "../../scripts/dashboard/queries.ts";
import { prometheusName } from "../../src/telemetry/tables/spec.ts";
import { createHandRunner } from "../support/hand-runner.ts";
import { freePort, type MillraceProcess, runnerProcess } from "../support/processes.ts";
import { findPrometheus } from "../support/prometheus-find.ts";
import { type RunningPrometheus, startPrometheus } from "../support/prometheus.ts";
import { refusalOf } from "../support/refusal.ts";
import { startTestServer, type TestServer } from "../support/server.ts";

const run = promisify(execFile);
const fileOf = (name: string): string =>
  fileURLToPath(new URL(`../../deploy/${name}`, import.meta.url));
const ALERTS = fileOf("prometheus/alerts.yml");

/** What Grafana puts in, for the whole of this test. */
const filledIn = (expression: string): string =>
  expression
    .replaceAll(CHOSEN.server, 'job="server"')
    .replaceAll(CHOSEN.runner, 'job="runner"')
    .replaceAll(CHOSEN.both, 'job=~"server|runner"')
    .replaceAll(/\$__(rate_interval|range)/g, "1m");

const EXPRESSIONS = ROWS.flatMap(({ panels }) => panels)
  .flatMap(({ queries }) => queries)
  .map(({ expression }) => expression);

describe("a real Prometheus beside a server and a runner", () => {
  let server: TestServer;
  let runner: MillraceProcess;
  let prometheus: RunningPrometheus;
  let folder: string;

  const submit = async (source: string, client = server.jobs): Promise<void> => {
    const work = { case: "script" as const, value: { source } };
    const { job } = await client.submitJob({
      spec: { work, retryPolicy: { maxRetries: 0 } },
    });
    await client.waitJob({ jobId: job?.id ?? "" });
  };

  beforeAll(async () => {
    const [serverPort, runnerPort] = [await freePort(), await freePort()];
    server = await startTestServer({
      environment: { MILLRACE_METRICS_LISTEN: `127.0.0.1:${serverPort}` },
    });
    folder = await mkdtemp(path.join(tmpdir(), "millrace-scraped-"));
    const config = path.join(folder, "runner.yaml");
    await writeFile(config, "egress: { allow: ['https://example.org'] }\n");
    const site = { runnerToken: server.runnerToken } as Parameters<typeof runnerProcess>[0];
    runner = runnerProcess(site, server, {
      MILLRACE_RUNNER_METRICS_LISTEN: `127.0.0.1:${runnerPort}`,
      MILLRACE_RUNNER_SLOTS: "2",
      MILLRACE_SCRIPT_CPU_SECONDS: "0.2",
      MILLRACE_RUNNER_CONFIG: config,
    });
    await runner.start();
    const targets = { server: [`127.0.0.1:${serverPort}`], runner: [`127.0.0.1:${runnerPort}`] };
    [prometheus] = await Promise.all([
      startPrometheus(targets, ALERTS),
      submit("export default () => 1"),
    ]);
    // What happens before the first scrape is an increase to nobody.
    await prometheus.until(
      async () => await prometheus.query("up"),
      (up) => up.length === 2 && up.every(({ value }) => value === 1),
    );
    await submit("export default async () => (await fetch('https://example.com')).status");
    await submit("export default () => { for (;;); }");
    await refusalOf(server.jobs.getJob({ jobId: "nope" }));
    await refusalOf(server.jobsOf({ token: "wrong" }).getJob({ jobId: "nope" }));
  });
  afterAll(async () => {
    await prometheus?.stop();
    await runner?.kill("SIGTERM");
    await server?.stop();
    await rm(folder, { recursive: true, force: true });
  });

  const valueOf = async (expression: string, wanted: number): Promise<void> => {
    await prometheus.until(
      async () => (await prometheus.query(expression))[0]?.value,
      (value) => value === wanted,
    );
  };

  it("sees calls by their method and status, and attempts by their end", async () => {
    const calls = (method: string, status: string): string =>
      `rpc_server_call_duration_count{rpc_method="millrace.v1.JobService/${method}",rpc_response_status_code="${status}"}`;
    await valueOf(calls("SubmitJob", "OK"), 3);
    await valueOf(calls("GetJob", "NOT_FOUND"), 1);
    await valueOf(calls("GetJob", "UNAUTHENTICATED"), 1);
    await valueOf('millrace_jobs_ended_total{millrace_job_state="failed"}', 2);
    await valueOf('millrace_runner_attempts_total{error_type="timeout.cpu"}', 1);
    await valueOf('millrace_runner_sandbox_kills_total{millrace_sandbox_reason="timeout.cpu"}', 1);
    await valueOf(
      'millrace_runner_egress_duration_count{millrace_egress_outcome="egress.denied"}',
      1,
    );
    await valueOf("sum(millrace_runner_slots)", 2);
  });

  it("answers every query of the dashboard, and those of what happened with numbers", async () => {
    const idle = /workflow|deliver|hooks|watch_streams|telemetry/;
    const empty: string[] = [];
    for (const expression of EXPRESSIONS) {
      const answer = await prometheus.query(filledIn(expression));
      if (answer.length === 0 && !idle.test(expression)) empty.push(expression);
    }
    expect(empty).toEqual([]);
  });

  it("evaluates every alert, and fires none", async () => {
    const rules = await prometheus.until(prometheus.rules, (all) =>
      all.every(({ health }) => health !== "unknown"),
    );
    expect(rules.length).toBeGreaterThan(10);
    for (const { name, health, state } of rules) {
      expect({ name, health }).toEqual({ name, health: "ok" });
      expect([name, state]).not.toEqual([name, "firing"]);
    }
  });

  it("has as many series for many organizations and types as for one", async () => {
    const seriesOf = async (): Promise<number> => {
      // Calls have a series for each method and status that somebody met, whoever it was.
      const [answer] = await prometheus.query('count({job="server",__name__=~"millrace_.+"})');
      return answer?.value ?? 0;
    };
    const drive = async (from: number, to: number): Promise<void> => {
      for (let round = from; round < to; round += 1) {
        const user = await server.addUser(await server.addOrganization(), ["admin"]);
        const types = [`type.a${round}`, `type.b${round}`];
        await server.putHandlers(types, user);
        const hand = createHandRunner(server, { capabilities: types.map((t) => `handler:${t}`) });
        for (const type of types) {
          const spec = { work: { case: "type" as const, value: type }, labels: { [type]: "x" } };
          const { job } = await server.jobsOf(user).submitJob({ spec });
          await hand.succeed(await hand.take());
          await server.jobsOf(user).waitJob({ jobId: job?.id ?? "" });
        }
      }
    };
    const settled = async (jobs: number): Promise<number> => {
      await valueOf('millrace_jobs_ended_total{millrace_job_state="succeeded"}', jobs);
      return await seriesOf();
    };
    await drive(0, 1);
    const before = await settled(3);
    await drive(1, 11);
    expect(await settled(23)).toBe(before);
  });
});

describe("deploy/prometheus", () => {
  it("has alerts that are right, and that fire when they should", async () => {
    const { promtool } = await findPrometheus();
    await run(promtool, ["check", "rules", "--lint-fatal", ALERTS]);
    await run(promtool, ["test", "rules", fileOf("prometheus/alerts.test.yml")]);
  });

  it("has alerts on series that there are", async () => {
    const SUFFIXES = ["", "_bucket", "_sum", "_count"];
    const names = new Set(ALL.flatMap((spec) => SUFFIXES.map((end) => prometheusName(spec) + end)));
    const labels = new Set(
      ALL.flatMap(({ attributes }) => Object.keys(attributes)).map((name) =>
        name.replaceAll(".", "_"),
      ),
    );
    const text = await readFile(ALERTS, "utf8");
    const named = text.match(/\b(millrace|rpc)_[a-z_]+/g) ?? [];
    expect(named.length).toBeGreaterThan(20);
    for (const name of named) expect(names.has(name) || labels.has(name) ? "" : name).toBe("");
  });
});

describe("deploy/grafana", () => {
  type Place = { readonly x: number; readonly y: number; readonly w: number; readonly h: number };
  type PlacedPanel = {
    readonly id: number;
    readonly gridPos: Place;
    readonly targets?: readonly { readonly refId: string; readonly expr: string }[];
  };

  it("has the dashboard as the tables of instruments make it", async () => {
    expect(await readFile(fileOf("grafana/millrace.json"), "utf8")).toBe(await renderDashboard());
  });

  it("has panels that do not overlap, each with an id and queries of its own", async () => {
    const { panels } = JSON.parse(await renderDashboard()) as { panels: readonly PlacedPanel[] };
    expect(new Set(panels.map(({ id }) => id)).size).toBe(panels.length);
    const cells = panels.flatMap(({ gridPos: { x, y, w, h } }) => {
      expect(x + w).toBeLessThanOrEqual(24);
      return Array.from(
        { length: w * h },
        (_, cell) => `${x + (cell % w)},${y + Math.floor(cell / w)}`,
      );
    });
    expect(new Set(cells).size).toBe(cells.length);
    for (const { targets = [] } of panels) {
      expect(new Set(targets.map(({ refId }) => refId)).size).toBe(targets.length);
    }
  });

  it("shows every instrument", () => {
    const text = EXPRESSIONS.join("\n");
    const missing = ALL.filter((spec) => !text.includes(prometheusName(spec)));
    expect(missing.map(({ name }) => name)).toEqual([]);
  });
});

import { RUNNER_TABLE as RUNNER } from "../../src/telemetry/tables/runner.ts";
import { SENDING_TABLE as SENDING } from "../../src/telemetry/tables/sending.ts";
import { SERVER_TABLE as SERVER } from "../../src/telemetry/tables/server.ts";
import {
  count,
  countOf,
  most,
  part,
  quantile,
  quantiles,
  type Query,
  rate,
  total,
} from "./queries.ts";

/** As Grafana names its units. */
export type Unit = "s" | "bytes" | "short" | "percentunit" | "reqps" | "cps";

export type Panel = {
  readonly title: string;
  readonly unit: Unit;
  readonly queries: readonly Query[];
  /** A single number, with the value from which it is amber and red; null: always green. */
  readonly stat?: readonly [amber: number, red: number] | null;
  /** Lines one above the other. */
  readonly stacked?: true;
};

export type Row = { readonly title: string; readonly panels: readonly Panel[] };

/** What the dashboard shows, from what everybody asks first to what few ask. */
export const ROWS: readonly Row[] = [
  {
    title: "Now",
    panels: [
      {
        title: "Oldest queued job",
        unit: "s",
        queries: [most(SERVER.queueAge)],
        stat: [60, 300],
      },
      {
        title: "Jobs",
        unit: "short",
        queries: [total(SERVER.active, "millrace.job.state")],
        stat: null,
      },
      {
        title: "Slots in use",
        unit: "percentunit",
        queries: [part(RUNNER.slots, "millrace.slot.state", "busy", "busy")],
        stat: [0.8, 0.95],
      },
      {
        title: "Failed commits",
        unit: "short",
        queries: [count(SERVER.commitFailures)],
        stat: [1, 10],
      },
      {
        title: "Notices given up",
        unit: "short",
        queries: [countOf(SERVER.deliveries, "millrace.delivery.state", "failed")],
        stat: [1, 10],
      },
      {
        title: "Shards without an owner",
        unit: "short",
        queries: [
          {
            expression: `${most(SERVER.shards).expression} - ${total(SERVER.shardsOwned).expression}`,
            legend: "without an owner",
          },
        ],
        stat: [1, 1],
      },
    ],
  },
  {
    title: "Jobs",
    panels: [
      {
        title: "Submitted",
        unit: "cps",
        queries: [rate(SERVER.submitted, "millrace.job.origin")],
        stacked: true,
      },
      {
        title: "Ended",
        unit: "cps",
        queries: [rate(SERVER.ended, "millrace.job.state")],
        stacked: true,
      },
      {
        title: "Not ended",
        unit: "short",
        queries: [total(SERVER.active, "millrace.job.state")],
        stacked: true,
      },
      { title: "Time in the queue", unit: "s", queries: quantiles(SERVER.queued) },
      {
        title: "Time of an attempt, p95",
        unit: "s",
        queries: [quantile(0.95, SERVER.attemptDuration, "millrace.work")],
      },
      {
        title: "Attempts by outcome",
        unit: "cps",
        queries: [rate(SERVER.attempts, "millrace.work", "millrace.attempt.outcome")],
      },
    ],
  },
  {
    title: "Servers",
    panels: [
      { title: "Calls", unit: "reqps", queries: [rate(SERVER.callDuration, "rpc.method")] },
      {
        title: "Calls by status",
        unit: "reqps",
        queries: [rate(SERVER.callDuration, "rpc.response.status_code")],
      },
      {
        title: "Time of a call, p95",
        unit: "s",
        queries: [quantile(0.95, SERVER.callDuration, "rpc.method")],
      },
      { title: "Time of a commit", unit: "s", queries: quantiles(SERVER.commitDuration) },
      { title: "Commands of a commit", unit: "short", queries: quantiles(SERVER.batchSize) },
      { title: "Open streams", unit: "short", queries: [total(SERVER.watches, "rpc.method")] },
    ],
  },
  {
    title: "Runners",
    panels: [
      {
        title: "Slots",
        unit: "short",
        queries: [total(RUNNER.slots, "millrace.slot.state")],
        stacked: true,
      },
      { title: "Failures", unit: "cps", queries: [rate(RUNNER.attempts, "error.type")] },
      {
        title: "Time of an attempt here, p95",
        unit: "s",
        queries: [quantile(0.95, RUNNER.attemptDuration, "millrace.work")],
      },
      { title: "CPU of a script", unit: "s", queries: quantiles(SERVER.sandboxCpu) },
      { title: "Memory of a script", unit: "bytes", queries: quantiles(SERVER.sandboxMemory) },
      {
        title: "Sandbox children",
        unit: "short",
        queries: [total(RUNNER.sandboxChildren, "millrace.sandbox.state")],
        stacked: true,
      },
      {
        title: "Sandbox children that came and went",
        unit: "cps",
        queries: [
          { ...rate(RUNNER.sandboxStarts), legend: "started" },
          {
            ...rate(RUNNER.sandboxKills, "millrace.sandbox.reason"),
            legend: "killed: {{millrace_sandbox_reason}}",
          },
          {
            ...rate(RUNNER.sandboxWear, "millrace.sandbox.reason"),
            legend: "worn: {{millrace_sandbox_reason}}",
          },
          { ...rate(RUNNER.quarantine), legend: "refused by quarantine" },
        ],
      },
      {
        title: "Fetches of scripts",
        unit: "reqps",
        queries: [rate(RUNNER.fetches, "millrace.egress.to", "millrace.egress.outcome")],
      },
      {
        title: "Time of a fetch, p95",
        unit: "s",
        queries: [quantile(0.95, RUNNER.fetches, "millrace.egress.to")],
      },
      {
        title: "Canaries",
        unit: "short",
        queries: [count(RUNNER.canaries, "millrace.canary.outcome")],
      },
    ],
  },
  {
    title: "Workflows, notices and telemetry",
    panels: [
      {
        title: "Workflows",
        unit: "cps",
        queries: [
          { ...rate(SERVER.workflowsSubmitted), legend: "submitted" },
          rate(SERVER.workflowsEnded, "millrace.workflow.state"),
        ],
      },
      {
        title: "Notices",
        unit: "cps",
        queries: [
          {
            ...rate(SERVER.notices, "millrace.delivery.kind"),
            legend: "owed: {{millrace_delivery_kind}}",
          },
          rate(SERVER.deliveries, "millrace.delivery.kind", "millrace.delivery.state"),
        ],
      },
      {
        title: "Tries",
        unit: "cps",
        queries: [rate(SERVER.tries, "millrace.delivery.outcome")],
        stacked: true,
      },
      {
        title: "Time of a try, p95",
        unit: "s",
        queries: [quantile(0.95, SERVER.tries, "millrace.delivery.outcome")],
      },
      {
        title: "Tries until a notice ended",
        unit: "short",
        queries: quantiles(SERVER.deliveryTries),
      },
      { title: "Most overdue notice", unit: "s", queries: [most(SERVER.deliveryAge)] },
      {
        title: "Hooks",
        unit: "short",
        queries: [
          { ...count(SERVER.hooksPaused), legend: "paused" },
          { ...count(SERVER.hookLoops), legend: "loops stopped" },
        ],
      },
      {
        title: "Points of queryable metrics",
        unit: "cps",
        queries: [rate(SERVER.points, "millrace.metric.resolution")],
      },
      {
        title: "Batches for the collector",
        unit: "cps",
        queries: [
          rate(SENDING.sendings, "millrace.telemetry.signal", "millrace.telemetry.outcome"),
        ],
      },
      {
        title: "Spans and log records lost",
        unit: "cps",
        queries: [rate(SENDING.lost, "millrace.telemetry.signal", "millrace.telemetry.reason")],
      },
    ],
  },
];

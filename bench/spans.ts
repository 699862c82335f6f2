/**
 * What one span costs a server, from its start until its batch is sent: CPU of this process, in which
 * nothing else happens. The collector is a process of its own.
 *
 *   node bench/spans.ts
 */
import { spawn } from "node:child_process";
import { once } from "node:events";

import { trace } from "@opentelemetry/api";

import { readOtel } from "../src/config/otel.ts";
import { systemClock } from "../src/runtime/clock.ts";
import { silentLog } from "../src/runtime/log.ts";
import { startSdk } from "../src/telemetry/collector.ts";
import { createSending } from "../src/telemetry/sending.ts";
import { createShardSpans } from "../src/telemetry/shard-spans.ts";
import { print } from "./figures.ts";

const [WARM_UP, SPANS, ROUNDS] = [5_000, 20_000, 3];
/** So many at once, and then a while for sending: as a server has them. */
const [TURN, PAUSE_MS] = [250, 5];

const COLLECTOR = `require("node:http")
  .createServer((request, response) => request.resume().on("end", () => response.end()))
  .listen(0, "127.0.0.1", function () { console.log(this.address().port); });`;

const collector = spawn(process.execPath, ["-e", COLLECTOR], {
  stdio: ["ignore", "pipe", "inherit"],
});
const [port] = (await once(collector.stdout, "data")) as [Buffer];
// The exporters read it by themselves.
Object.assign(process.env, {
  OTEL_EXPORTER_OTLP_TRACES_ENDPOINT: `http://127.0.0.1:${port.toString().trim()}/v1/traces`,
  OTEL_BSP_SCHEDULE_DELAY: "100",
  OTEL_BSP_MAX_QUEUE_SIZE: "50000",
});

let lost = 0;
const sending = createSending({
  clock: systemClock,
  log: { ...silentLog, warn: () => (lost += 1) },
  meters: () => null,
});
const stop = await startSdk({
  service: "bench",
  instance: "1",
  otel: readOtel(process.env, []),
  readers: [],
  sending,
  ownLog: silentLog,
});
const spans = createShardSpans(trace.getTracer("bench"));

const makeSpans = async (count: number, flags: "00" | "01"): Promise<void> => {
  const traceparent = `00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-${flags}`;
  for (let at = 0; at < count; at += 1) {
    spans.attemptStarted({
      organizationId: "0192f3a4-0000-7000-8000-000000000001",
      jobId: `0192f3a4-0000-7000-8000-${String(at).padStart(12, "0")}`,
      attempt: 1,
      capability: "script",
      workflowId: "",
      stepName: "",
      queuedAt: systemClock.now() - 5,
      startedAt: systemClock.now(),
      traceparent,
    });
    if (at % TURN === 0) await new Promise((resolve) => setTimeout(resolve, PAUSE_MS));
  }
  await new Promise((resolve) => setTimeout(resolve, 500));
};

/** Microseconds of CPU for each. */
const costOf = async (flags: "00" | "01"): Promise<number> => {
  await makeSpans(WARM_UP, flags);
  const before = process.cpuUsage();
  await makeSpans(SPANS, flags);
  const { user, system } = process.cpuUsage(before);
  return (user + system) / SPANS;
};

const rounds = { sampled: [] as number[], leftOut: [] as number[] };
for (let round = 0; round < ROUNDS; round += 1) {
  rounds.sampled.push(await costOf("01"));
  rounds.leftOut.push(await costOf("00"));
}
await stop();
collector.kill();
if (lost > 0) throw new Error("some spans were not sent: the figures are too low");

const range = (values: readonly number[]): string =>
  `${Math.min(...values).toFixed(1)} to ${Math.max(...values).toFixed(1)}`;
print("CPU µs of a queue span", [
  { name: "sent to a collector", value: range(rounds.sampled) },
  { name: "of a trace that is left out", value: range(rounds.leftOut) },
]);

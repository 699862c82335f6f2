/**
 * What telemetry costs: CPU of a script by process, without any, with a Prometheus endpoint that is
 * scraped, and with all metrics, traces and logs sent to a collector.
 *
 *   node bench/telemetry.ts
 *
 * CPU is the kernel's (/proc), so that a busy machine disturbs it little. The variants take turns.
 */
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";

import { freePort, runnerProcess } from "../test/support/processes.ts";
import { readCpu } from "./cpu.ts";
import { print } from "./figures.ts";
import { rateOf } from "./processing.ts";
import { startService } from "./service.ts";
import { NOOP_SCRIPT } from "./work.ts";

const [WARM_UP, JOBS, ROUNDS] = [500, 3_000, 3];
const SCRAPE_EVERY_MS = 1_000;

type Environment = Readonly<Record<string, string>>;
type Variant = {
  readonly name: string;
  readonly server: Environment;
  readonly runner: Environment;
  /** Asked now and then. */
  readonly scraped: readonly string[];
};

/** Milliseconds of CPU for each script. */
const measure = async ({ server, runner, scraped }: Variant) => {
  const service = await startService("sqlite", { environment: server });
  const addresses = { publicUrl: "", internalUrl: service.internalUrl };
  const worker = runnerProcess(service.site, addresses, runner);
  await worker.start();
  const scraping = setInterval(() => {
    for (const url of scraped) {
      // One may be under way when they are stopped.
      void fetch(url)
        .then(async (answer) => await answer.text())
        .catch(() => {});
    }
  }, SCRAPE_EVERY_MS);
  try {
    await rateOf([service.jobs], NOOP_SCRIPT, WARM_UP);
    const before = readCpu(service.pid(), worker.pid);
    await rateOf([service.jobs], NOOP_SCRIPT, JOBS);
    const after = readCpu(service.pid(), worker.pid);
    return {
      server: (after.server - before.server) / JOBS,
      runner: (after.runner - before.runner) / JOBS,
    };
  } finally {
    clearInterval(scraping);
    await worker.kill("SIGTERM");
    await service.stop();
  }
};

const collector = createServer((request, response) => {
  request.resume().on("end", () => response.end());
});
await new Promise<void>((resolve) => collector.listen(0, "127.0.0.1", resolve));
const [serverPort, runnerPort] = [await freePort(), await freePort()];
const otlp = {
  OTEL_EXPORTER_OTLP_ENDPOINT: `http://127.0.0.1:${(collector.address() as AddressInfo).port}`,
};

const VARIANTS: readonly Variant[] = [
  { name: "none", server: {}, runner: {}, scraped: [] },
  {
    name: "Prometheus, every second",
    server: { MILLRACE_METRICS_LISTEN: `127.0.0.1:${serverPort}` },
    runner: { MILLRACE_RUNNER_METRICS_LISTEN: `127.0.0.1:${runnerPort}` },
    scraped: [serverPort, runnerPort].map((port) => `http://127.0.0.1:${port}/metrics`),
  },
  { name: "a collector, every trace", server: otlp, runner: otlp, scraped: [] },
  {
    name: "a collector, a hundredth of the traces",
    server: {
      ...otlp,
      OTEL_TRACES_SAMPLER: "parentbased_traceidratio",
      OTEL_TRACES_SAMPLER_ARG: "0.01",
    },
    runner: {
      ...otlp,
      OTEL_TRACES_SAMPLER: "parentbased_traceidratio",
      OTEL_TRACES_SAMPLER_ARG: "0.01",
    },
    scraped: [],
  },
];

const results = new Map<string, { server: number[]; runner: number[] }>();
for (let round = 0; round < ROUNDS; round += 1) {
  for (const variant of VARIANTS) {
    const { server, runner } = await measure(variant);
    const sums = results.get(variant.name) ?? { server: [], runner: [] };
    results.set(variant.name, sums);
    sums.server.push(server);
    sums.runner.push(runner);
  }
}
collector.close();

const median = (values: readonly number[]): string =>
  (values.toSorted((a, b) => a - b)[Math.floor(values.length / 2)] ?? Number.NaN).toFixed(2);

print(
  "sqlite",
  [...results].map(([name, { server, runner }]) => ({
    name: `CPU ms of a script, telemetry: ${name}`,
    value: `server ${median(server)}, runner ${median(runner)}`,
  })),
);

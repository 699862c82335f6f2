import { runnerProcess } from "../test/support/processes.ts";
import { countStarts, type Cpu, readCpu } from "./cpu.ts";
import { type Figure, spaced } from "./figures.ts";
import { rateOf } from "./processing.ts";
import type { Service } from "./service.ts";
import { addTenant } from "./tenants.ts";
import { NOOP_SCRIPT } from "./work.ts";

const MAX_RUNNING = 10_000;
const JOBS = 3_000;
const FEW_JOBS = 500;

type Costs = {
  readonly name: string;
  readonly clients: readonly Service["jobs"][];
  readonly jobs?: number;
  readonly environment?: Readonly<Record<string, string>>;
};

const textOf = (before: Cpu, after: Cpu, jobs: number): string =>
  (["server", "runner", "children", "client"] as const)
    .map((part) => `${part} ${((after[part] - before[part]) / jobs).toFixed(2)}`)
    .join(", ");

/** What `jobs` scripts cost, submitted and processed, by a runner process of its own. */
const costsOf = async (
  service: Service,
  { name, clients, jobs = JOBS, environment = {} }: Costs,
): Promise<Figure[]> => {
  const addresses = { publicUrl: "", internalUrl: service.internalUrl };
  const runner = runnerProcess(service.site, addresses, environment);
  await runner.start();
  try {
    await rateOf(clients, NOOP_SCRIPT, Math.min(1_000, jobs));
    const starts = countStarts(runner.pid);
    const before = readCpu(service.pid(), runner.pid);
    const rate = await rateOf(clients, NOOP_SCRIPT, jobs);
    const after = readCpu(service.pid(), runner.pid);
    return [
      { name: `CPU ms of a script, ${name}`, value: textOf(before, after, jobs) },
      { name: "  scripts, children started", value: `${spaced(rate)}/s, ${starts()}` },
    ];
  } finally {
    await runner.kill("SIGTERM");
  }
};

/** Where the CPU of a script goes, by process. */
export const benchCosts = async (service: Service): Promise<Figure[]> => {
  const other = await service.whileStopped(
    async (store) => await addTenant(store, service.site.organizationId, MAX_RUNNING),
  );
  const one = [service.jobs];
  const both = [service.jobs, service.clientOf(other)];
  const parts: readonly Costs[] = [
    { name: "one organization", clients: one },
    { name: "the same, 2 slots", clients: one, environment: { MILLRACE_RUNNER_SLOTS: "2" } },
    { name: "two that alternate", clients: both },
    {
      name: "a process for each attempt",
      clients: one,
      jobs: FEW_JOBS,
      environment: { MILLRACE_ISOLATION: "process" },
    },
  ];
  const figures: Figure[] = [];
  for (const part of parts) figures.push(...(await costsOf(service, part)));
  return figures;
};

import { DEFAULT_LIMITS } from "../runner/sandbox/limits.ts";
import { runnerProcess } from "../test/support/processes.ts";
import { type Figure, spaced } from "./figures.ts";
import { latency, rateOf } from "./processing.ts";
import { measureChildren } from "./sandbox.ts";
import type { Service } from "./service.ts";
import { addTenant } from "./tenants.ts";
import { NOOP_SCRIPT } from "./work.ts";

const MAX_RUNNING = 10_000;
/** Enough that a child is replaced now and then, as in earnest. */
const JOBS = 5 * DEFAULT_LIMITS.recycleAfter;

/** What a runner process of its own does for these organizations. */
const through = async (
  service: Service,
  what: string,
  clients: readonly Service["jobs"][],
  jobs: number,
  environment: Readonly<Record<string, string>> = {},
): Promise<{ readonly rate: number; readonly figures: Figure[] }> => {
  const addresses = { publicUrl: "", internalUrl: service.internalUrl };
  const runner = runnerProcess(service.site, addresses, environment);
  await runner.start();
  try {
    await rateOf(clients, NOOP_SCRIPT, Math.min(jobs, 1_000));
    const rate = await rateOf(clients, NOOP_SCRIPT, jobs);
    const name = `sandboxed scripts, ${what}`;
    return {
      rate,
      figures: [
        { name, value: `${spaced(rate)}/s` },
        {
          name: `${name}, idle, submit → finished`,
          value: await latency(clients, NOOP_SCRIPT, 300),
        },
      ],
    };
  } finally {
    await runner.kill("SIGTERM");
  }
};

/** Scripts in a runner process as it is by default, beside what bare sandbox children do. */
export const benchScripts = async (service: Service): Promise<Figure[]> => {
  const children = await measureChildren(3_000);
  const other = await service.whileStopped(
    async (store) => await addTenant(store, service.site.organizationId, MAX_RUNNING),
  );
  const both = [service.jobs, service.clientOf(other)];
  const one = await through(service, "one organization", [service.jobs], JOBS);
  const two = await through(service, "two that alternate", both, JOBS);
  const alone = await through(service, "a process for each attempt", [service.jobs], 500, {
    MILLRACE_ISOLATION: "process",
  });
  return [
    { name: "two bare warm children", value: `${spaced(children.rate)}/s` },
    { name: "one bare warm child, idle", value: children.idle },
    ...one.figures,
    {
      name: "  of what bare children do",
      value: `${Math.round((100 * one.rate) / children.rate)} %`,
    },
    ...two.figures,
    ...alone.figures,
  ];
};

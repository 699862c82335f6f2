import type { Client } from "@connectrpc/connect";

import { composeRunner, readRunnerConfig } from "../runner/main.ts";
import type { JobService } from "../src/gen/millrace/v1/job_service_pb.ts";
import {
  type Kind,
  KINDS,
  type Run,
  startSlowServer,
  submitKind,
} from "../test/support/mixed-work.ts";
import { type Figure, percentile } from "./figures.ts";
import type { Service } from "./service.ts";
import { addTenant } from "./tenants.ts";

const SLOTS = 4;
const EACH = 50;

const sum = (values: readonly number[]): number => values.reduce((all, one) => all + one, 0);

/** While all of them had work: until the first kind had started its last job. */
const contested = (runs: readonly Run[], kinds: readonly Kind[]): number =>
  Math.min(
    ...kinds.map((kind) =>
      Math.max(...runs.filter((run) => run.kind === kind).map(({ started }) => started)),
    ),
  );

const shareText = (part: number, whole: number): string => `${((100 * part) / whole).toFixed(0)} %`;

/** Scripts that compute, that sleep and that fetch from a slow server: three organizations at once on 4 slots. */
export const benchMix = async (service: Service): Promise<Figure[]> => {
  const kinds = Object.keys(KINDS) as Kind[];
  const tokens = await service.whileStopped(
    async (store) =>
      await Promise.all(
        kinds.map(async () => await addTenant(store, service.site.organizationId, EACH)),
      ),
  );
  const clients: Client<typeof JobService>[] = tokens.map((token) => service.clientOf(token));
  const slow = await startSlowServer();
  const runner = composeRunner({
    config: {
      ...readRunnerConfig({
        MILLRACE_INTERNAL_URL: service.internalUrl,
        MILLRACE_RUNNER_TOKEN: service.site.runnerToken,
        MILLRACE_RUNNER_SLOTS: String(SLOTS),
      }),
      settings: slow.settings,
    },
  });
  await runner.start();
  try {
    const waiting = await Promise.all(
      kinds.map(async (kind, index) => {
        const jobs = clients[index];
        if (jobs === undefined) throw new Error("a kind without an organization");
        return await submitKind(jobs, kind, EACH);
      }),
    );
    const runs = (await Promise.all(waiting.map(async (all) => await all()))).flat();
    const until = contested(runs, kinds);
    const within = runs.filter(({ started }) => started <= until);
    const held = (all: readonly Run[]): number =>
      sum(all.map(({ started, ended }) => Math.min(ended, until) - started));
    return kinds.map((kind) => {
      const mine = runs.filter((run) => run.kind === kind);
      const early = within.filter((run) => run.kind === kind);
      const waits = mine.map(({ submitted, started }) => started - submitted);
      const [p50, p99] = [percentile(waits, 0.5), percentile(waits, 0.99)];
      const cpu = shareText(
        sum(early.map(({ cpuMs }) => cpuMs)),
        sum(within.map((run) => run.cpuMs)),
      );
      const value = `waits p50 ${p50.toFixed(0)} ms, p99 ${p99.toFixed(0)} ms; while all had work: ${shareText(held(early), held(within))} of the slots, ${cpu} of the processor time`;
      return { name: `one that ${kind}, beside the others`, value };
    });
  } finally {
    await runner.stop();
    await slow.close();
  }
};

/**
 * Where the time of a lone script goes on an idle system, from hop to hop: `node bench/hops.ts [jobs]`.
 * The processes of server and runner note what comes by (see probe.ts); SQLite, as only there.
 */
import { mkdtemp, readFile, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";

import { runnerProcess } from "../test/support/processes.ts";
import { percentile, print } from "./figures.ts";
import { startService } from "./service.ts";
import { NOOP_SCRIPT } from "./work.ts";

const PROBE = new URL("probe.ts", import.meta.url).href;
const WARM_UP = 50;
const PAUSE_MS = 20;

type Mark = readonly [name: string, at: number];

/** The way of a job, in its order. */
const HOPS = [
  "client calls",
  "owner has the submission",
  "commit of the start begins",
  "assigned",
  "runner has the assignment",
  "child gets the order",
  "child has answered",
  "report leaves",
  "owner has the report",
  "commit of the end begins",
  "told to watchers",
  "client is answered",
] as const;

const now = (): number => Number(process.hrtime.bigint()) / 1e6;

/** When each hop was reached; null if one is missing. */
const wayOf = (marks: readonly Mark[]): readonly number[] | null => {
  const way: number[] = [];
  let from = 0;
  for (const hop of HOPS) {
    const name = hop.startsWith("commit of") ? "commit begins" : hop;
    const found = marks.findIndex(([other], index) => index >= from && other === name);
    if (found === -1) return null;
    way.push(marks[found]?.[1] ?? 0);
    from = found + 1;
  }
  return way;
};

const folder = await mkdtemp(join(tmpdir(), "millrace-hops-"));
const probed = (name: string): Record<string, string> => ({
  NODE_OPTIONS: `--import ${PROBE}`,
  MILLRACE_PROBE: join(folder, name),
});
const marksOf = async (name: string): Promise<Mark[]> =>
  JSON.parse(await readFile(join(folder, name), "utf8")) as Mark[];

const count = Number(process.argv[2] ?? 300);
const service = await startService("sqlite", { environment: probed("server") });
const runner = runnerProcess(
  service.site,
  { publicUrl: "", internalUrl: service.internalUrl },
  probed("runner"),
);
const own: (readonly [begun: number, ended: number])[] = [];
try {
  await runner.start();
  for (let index = 0; index < WARM_UP + count; index += 1) {
    const begun = now();
    await service.jobs.runJob({ submit: { spec: NOOP_SCRIPT } });
    if (index >= WARM_UP) own.push([begun, now()]);
    await new Promise((resolve) => setTimeout(resolve, PAUSE_MS));
  }
} finally {
  await runner.kill("SIGTERM");
  await service.stop();
}
const heard = [...(await marksOf("server")), ...(await marksOf("runner"))];
await rm(folder, { recursive: true });

const ways = own.flatMap(([begun, ended]) => {
  const marks: Mark[] = [
    ["client calls", begun],
    ...heard.filter(([, at]) => at > begun && at < ended).sort(([, a], [, b]) => a - b),
    ["client is answered", ended],
  ];
  return wayOf(marks) === null ? [] : [wayOf(marks) ?? []];
});
const told = (samples: readonly number[]): string =>
  `p50 ${percentile(samples, 0.5).toFixed(2)} ms, p90 ${percentile(samples, 0.9).toFixed(2)} ms`;
print(`a lone script, hop by hop (${ways.length} of ${count})`, [
  ...HOPS.slice(1).map((hop, index) => ({
    name: `→ ${hop}`,
    value: told(ways.map((way) => (way[index + 1] ?? 0) - (way[index] ?? 0))),
  })),
  { name: "all of it", value: told(ways.map((way) => (way.at(-1) ?? 0) - (way[0] ?? 0))) },
]);

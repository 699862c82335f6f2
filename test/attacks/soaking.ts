import type { Ending } from "../../runner/executor.ts";
import { createUsageReader } from "../../runner/sandbox/proc.ts";
import { startSandbox } from "../support/runner-sandbox.ts";
import { aliveChildren } from "../support/sandbox-processes.ts";
import type { Attack } from "./attack.ts";
import { cpu } from "./cpu.ts";
import { errors } from "./errors.ts";
import { LIMITS } from "./limits.ts";
import { memory } from "./memory.ts";
import { results } from "./results.ts";

export type SoakOptions = {
  readonly scripts: number;
  readonly isolation: "tenant" | "process";
  /** Called now and then. */
  readonly progress: (done: number, hostile: number) => void;
};

/** Medians of resident memory over one quarter of the scripts. */
export type Quarter = { readonly supervisorBytes: number; readonly childBytes: number };

export type SoakReport = {
  readonly honest: number;
  readonly hostile: number;
  /** What did not end as it should, in words. */
  readonly wrong: readonly string[];
  readonly seconds: number;
  readonly quarters: readonly Quarter[];
  readonly mostChildren: number;
  readonly allowedChildren: number;
  /** After the stop. */
  readonly childrenLeft: number;
};

const SLOTS = 4;
const SPARES = 1;
const ORGANIZATIONS = ["acme", "bolt", "core"];
const LANES = 6;
const HOSTILE_EVERY = 10;
const SAMPLES_PER_QUARTER = 25;

/** Those that need nothing but the sandbox. */
const ATTACKS: readonly Attack[] = [...cpu, ...memory, ...results, ...errors].filter(
  ({ outcome }) => outcome.kind !== "refused" && outcome.kind !== "cancelled",
);

const HONEST = `export default async (input, ctx) => {
  let sum = input.seed;
  for (let i = 0; i < 2_000; i++) sum = (sum * 31 + i) % 1_000_003;
  ctx.progress(0.5);
  console.log("sum", sum, { seed: input.seed });
  await ctx.sleep(1);
  return { sum, words: Array.from({ length: 20 }, (_, i) => "word " + i) };
};`;

const sumOf = (seed: number): number => {
  let sum = seed;
  for (let i = 0; i < 2_000; i += 1) sum = (sum * 31 + i) % 1_000_003;
  return sum;
};

const told = (ending: Ending): string =>
  ending.kind === "failed" ? `${ending.error.code}: ${ending.error.message}` : ending.kind;

const honestIsRight = (ending: Ending, seed: number): boolean =>
  ending.kind === "succeeded" && ending.result.startsWith(`{"sum":${sumOf(seed)},`);

/** By its code alone: the tables' own tests look closer. */
const attackIsRight = (ending: Ending, { outcome }: Attack): boolean => {
  const failed = (codes: readonly string[]): boolean =>
    ending.kind === "failed" && codes.includes(ending.error.code);
  switch (outcome.kind) {
    case "value":
      return ending.kind === "succeeded";
    case "fails":
      return failed(outcome.codes);
    case "either":
      return ending.kind === "succeeded" || failed(outcome.codes);
    case "refused":
    case "cancelled":
      return false;
  }
};

const median = (values: readonly number[]): number =>
  values.toSorted((a, b) => a - b)[Math.floor(values.length / 2)] ?? 0;

/**
 * Many scripts of three organizations through one supervisor, one in ten of them hostile, while the
 * resident memory of the supervisor and of its children is watched.
 */
export const soak = async (options: SoakOptions): Promise<SoakReport> => {
  const { scripts, isolation } = options;
  const sandbox = await startSandbox({ limits: LIMITS, isolation, slots: SLOTS, spares: SPARES });
  const readUsage = createUsageReader();
  const wrong: string[] = [];
  const samples: { readonly at: number; readonly own: number; readonly child: number }[] = [];
  const sampleEvery = Math.max(1, Math.floor(scripts / (4 * SAMPLES_PER_QUARTER)));
  const started = performance.now();
  let begun = 0;
  let done = 0;
  let hostile = 0;
  let mostChildren = 0;

  const look = (): void => {
    const members = sandbox.supervisor.children();
    mostChildren = Math.max(mostChildren, members.length);
    if (done % sampleEvery !== 0) return;
    const grown = members.filter(({ state }) => state !== "starting");
    // Of five, of which now and then one is filled by an attack: the median does not see it.
    const sizes = grown.flatMap(({ pid }) => readUsage(pid)?.rssBytes ?? []);
    const own = process.memoryUsage.rss();
    if (sizes.length > 0) samples.push({ at: done / scripts, own, child: median(sizes) });
    options.progress(done, hostile);
  };

  const once = async (index: number): Promise<void> => {
    const organizationId = ORGANIZATIONS[index % ORGANIZATIONS.length] ?? "acme";
    const nth = Math.floor(index / HOSTILE_EVERY);
    const attack = index % HOSTILE_EVERY === 0 ? ATTACKS[nth % ATTACKS.length] : undefined;
    if (attack === undefined) {
      const { ending } = await sandbox.run(HONEST, {
        organizationId,
        input: { seed: index },
        timeoutMs: 60_000,
      });
      if (!honestIsRight(ending, index)) wrong.push(`honest script ${index}: ${told(ending)}`);
      return;
    }
    hostile += 1;
    const { ending } = await sandbox.run(attack.code, {
      organizationId,
      input: attack.input ?? null,
      fileName: "script.js",
      timeoutMs: attack.timeoutMs ?? 60_000,
    });
    if (!attackIsRight(ending, attack)) wrong.push(`${attack.name}: ${told(ending)}`);
  };

  const lane = async (): Promise<void> => {
    while (begun < scripts) {
      begun += 1;
      await once(begun - 1);
      done += 1;
      look();
    }
  };

  await Promise.all(Array.from({ length: LANES }, lane));
  const seconds = (performance.now() - started) / 1_000;
  await sandbox.stop();
  const quarters = [0, 1, 2, 3].map((quarter) => {
    const within = samples.filter(({ at }) => Math.min(3, Math.floor(at * 4)) === quarter);
    return {
      supervisorBytes: median(within.map(({ own }) => own)),
      childBytes: median(within.map(({ child }) => child)),
    };
  });
  return {
    honest: scripts - hostile,
    hostile,
    wrong,
    seconds,
    quarters,
    mostChildren,
    allowedChildren: SLOTS + SPARES,
    childrenLeft: aliveChildren().length,
  };
};

/** How much more memory the last quarter may take than the second; the first is the warm-up. */
export const TOLERANCE = { part: 0.15, bytes: 16 * 1024 * 1024 } as const;

/** Everything that a soak must not show; empty if it went well. */
export const complaints = (report: SoakReport): readonly string[] => {
  const { quarters, wrong, mostChildren, allowedChildren, childrenLeft } = report;
  const grew = (["supervisorBytes", "childBytes"] as const).flatMap((what) => {
    const [early = 0, late = 0] = [quarters[1]?.[what], quarters[3]?.[what]];
    const most = early * (1 + TOLERANCE.part) + TOLERANCE.bytes;
    return late > most ? [`${what} grew from ${early} to ${late}`] : [];
  });
  return [
    ...wrong,
    ...grew,
    ...(mostChildren > allowedChildren
      ? [`there were ${mostChildren} children, not ${allowedChildren}`]
      : []),
    ...(childrenLeft > 0 ? [`${childrenLeft} children are left after the stop`] : []),
  ];
};

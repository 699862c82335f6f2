import { parseArgs } from "node:util";

import { simulate } from "./simulate.ts";
import { openSimulatedStore } from "./open-store.ts";

const HELP = `Runs the shards under simulated clients, runners, watchers, crashes and database faults.

  npm run simulate -- --seeds 5000          seeds 1 to 5000
  npm run simulate -- --seed 1234           one seed, with what happened in it

A failing seed fails again: everything in a history follows from its seed.`;

const { values } = parseArgs({
  options: {
    seeds: { type: "string", default: "1000" },
    from: { type: "string", default: "1" },
    seed: { type: "string" },
    help: { type: "boolean", default: false },
  },
});

const natural = (name: string, text: string): number => {
  const value = Number(text);
  if (Number.isSafeInteger(value) && value > 0) return value;
  console.error(`--${name} must be a whole number above 0, not ${JSON.stringify(text)}`);
  process.exit(2);
};

const one = async (seed: number): Promise<void> => {
  const { faults, trace, ...facts } = await simulate(seed, openSimulatedStore);
  console.log(trace.join("\n"));
  console.log(facts);
  for (const fault of faults) console.log(`BROKEN ${fault}`);
  process.exitCode = faults.length === 0 ? 0 : 1;
};

const many = async (from: number, count: number): Promise<void> => {
  let broken = 0;
  let jobs = 0;
  let commits = 0;
  for (let seed = from; seed < from + count; seed += 1) {
    const report = await simulate(seed, openSimulatedStore);
    jobs += report.jobs;
    commits += report.commits;
    if (report.faults.length > 0) {
      broken += 1;
      console.log(`seed ${seed}: ${report.faults[0]}`);
    }
    if ((seed - from + 1) % 100 === 0) {
      console.log(
        `${seed - from + 1}/${count} seeds, ${jobs} jobs, ${commits} commits, ${broken} broken`,
      );
    }
  }
  console.log(`${count - broken} passed, ${broken} failed`);
  process.exitCode = broken === 0 ? 0 : 1;
};

if (values.help) console.log(HELP);
else if (values.seed !== undefined) await one(natural("seed", values.seed));
else await many(natural("from", values.from), natural("seeds", values.seeds));

import { parseArgs } from "node:util";

import { benchCosts } from "./costs.ts";
import { benchFairness } from "./fairness.ts";
import { print } from "./figures.ts";
import { benchMix } from "./mix.ts";
import { benchHandlers } from "./processing.ts";
import { benchScripts } from "./scripts.ts";
import { startService, type EngineName } from "./service.ts";
import { benchSubmits } from "./submits.ts";
import { benchWorkflows } from "./workflows.ts";

const HELP = `Measures a real server on SQLite and on MariaDB, both with full durability.

  npm run bench                              everything, on both engines
  npm run bench -- --engine sqlite           one engine
  npm run bench -- --only submits            submits, handlers, scripts, costs, fairness, mix or workflows
  npm run bench -- fairness                  the same as --only fairness

Server, client, runner and database share this machine: compare ratios, not figures.`;

const PARTS = {
  submits: benchSubmits,
  handlers: benchHandlers,
  scripts: benchScripts,
  costs: benchCosts,
  fairness: benchFairness,
  mix: benchMix,
  workflows: benchWorkflows,
};
const ENGINES: readonly EngineName[] = ["sqlite", "mariadb"];

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: {
    engine: { type: "string", multiple: true, default: [...ENGINES] },
    only: { type: "string", multiple: true, default: [] },
    help: { type: "boolean", default: false },
  },
});

const named = [...values.only, ...positionals];
const wrong = named.filter((name) => !(name in PARTS));
if (wrong.length > 0) {
  console.error(`there is no part ${wrong.join(", ")}: choose of ${Object.keys(PARTS).join(", ")}`);
  process.exit(2);
}

const run = async (engine: EngineName): Promise<void> => {
  const figures = [];
  for (const [name, bench] of Object.entries(PARTS)) {
    if (named.length > 0 && !named.includes(name)) continue;
    // Each part on an empty database: none pays for what another left behind.
    const service = await startService(engine);
    try {
      figures.push(...(await bench(service)));
    } finally {
      await service.stop();
    }
  }
  print(engine, figures);
};

if (values.help) console.log(HELP);
else for (const engine of ENGINES) if (values.engine.includes(engine)) await run(engine);

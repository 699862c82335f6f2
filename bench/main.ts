import { parseArgs } from "node:util";

import { print } from "./figures.ts";
import { benchHandlers, benchScripts } from "./processing.ts";
import { startService, type EngineName } from "./service.ts";
import { benchSubmits } from "./submits.ts";

const HELP = `Measures a real server on SQLite and on MariaDB, both with full durability.

  npm run bench                              everything, on both engines
  npm run bench -- --engine sqlite           one engine
  npm run bench -- --only submits            submits, handlers or scripts

Server, client, runner and database share this machine: compare ratios, not figures.`;

const PARTS = { submits: benchSubmits, handlers: benchHandlers, scripts: benchScripts };
const ENGINES: readonly EngineName[] = ["sqlite", "mariadb"];

const { values } = parseArgs({
  options: {
    engine: { type: "string", multiple: true, default: [...ENGINES] },
    only: { type: "string", multiple: true, default: Object.keys(PARTS) },
    help: { type: "boolean", default: false },
  },
});

const run = async (engine: EngineName): Promise<void> => {
  const figures = [];
  for (const [name, bench] of Object.entries(PARTS)) {
    if (!values.only.includes(name)) continue;
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

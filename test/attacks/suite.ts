import { afterAll, beforeAll, describe, expect, it } from "vitest";

import type { Isolation } from "../../runner/sandbox/choose.ts";
import type { Attack } from "./attack.ts";
import { cancellation } from "./cancellation.ts";
import { cpu } from "./cpu.ts";
import { errors } from "./errors.ts";
import { escapes } from "./escapes.ts";
import { globals } from "./globals.ts";
import { memory } from "./memory.ts";
import { modules } from "./modules.ts";
import { output } from "./output.ts";
import { results } from "./results.ts";
import { syntax } from "./syntax.ts";
import { startWorld, type World } from "./world.ts";

const THEMES: Readonly<Record<string, readonly Attack[]>> = {
  cpu,
  memory,
  results,
  errors,
  output,
  escapes,
  globals,
  syntax,
  modules,
  cancellation,
};

/** Every attack of the tables, several at once, beside an organization that goes on with its work. */
export const describeAttacks = (isolation: Isolation): void => {
  describe(`with a child for each ${isolation}, nothing else is harmed by`, () => {
    let world: World;

    beforeAll(async () => {
      world = await startWorld(isolation);
    });

    afterAll(async () => {
      await world.stop();
      expect(world.neighbour.served()).toBeGreaterThan(0);
    });

    describe.concurrent.each(Object.entries(THEMES))("%s:", (_, attacks) => {
      it.each(attacks.map((attack) => [attack.name, attack] as const))("%s", async (_, attack) => {
        await world.suffer(attack);
      });
    });
  });
};

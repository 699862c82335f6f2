import { afterAll, beforeAll, describe, expect, it } from "vitest";

import type { Isolation } from "../../runner/sandbox/choose.ts";
import type { Attack } from "./attack.ts";
import { cancellation } from "./cancellation.ts";
import { cpu } from "./cpu.ts";
import { egress } from "./egress.ts";
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
  egress,
  cancellation,
};

/** Whole in each isolation: what leads out of a child, and what ends one from outside. */
const IN_EACH: ReadonlySet<string> = new Set(["escapes", "cancellation"]);
/** `ATTACKS=all npm test -- test/attacks` runs every row in each. */
const PART = process.env["ATTACKS"] === "all" ? 1 : 6;

/**
 * With a child for each attempt every attack ends in the same code as with a child for each
 * organization, can leave nothing to the next one, and costs the start of a child more: of most
 * themes every sixth row is enough.
 */
const attacksOf = (isolation: Isolation): [theme: string, attacks: readonly Attack[]][] =>
  Object.entries(THEMES).map(([theme, attacks]) => [
    theme,
    isolation === "tenant" || IN_EACH.has(theme)
      ? attacks
      : attacks.filter((_, index) => index % PART === 0),
  ]);

/** The attacks of the tables, several at once, beside an organization that goes on with its work. */
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

    describe.concurrent.each(attacksOf(isolation))("%s:", (_, attacks) => {
      it.each(attacks.map((attack) => [attack.name, attack] as const))("%s", async (_, attack) => {
        await world.suffer(attack);
      });
    });
  });
};

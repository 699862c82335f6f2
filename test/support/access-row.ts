import type { Permission } from "../../src/jobs/abilities.ts";
import { type CallerName, CALLERS, type Ids, type World } from "./access-world.ts";

/**
 * `ok`; PERMISSION_DENIED; or `absent`: refused in exactly the words for something that is not
 * there. Whoever shows no token is UNAUTHENTICATED everywhere.
 */
export type Answer = "ok" | "denied" | "absent";

export type Row = {
  readonly answers: Readonly<Record<CallerName, Answer>>;
  /** What a user has to be allowed, at least one of these; empty: nothing in particular. */
  readonly needs: readonly Permission[];
  /** A valid request about these things. */
  readonly request: (ids: Ids) => object;
  /** Things made anew for each call, because the method uses them up. */
  readonly prepare: (world: World) => Promise<Partial<Ids>>;
};

const SIGNS: Readonly<Record<string, Answer>> = { ".": "ok", x: "denied", "?": "absent" };

const answersOf = (signs: string): Row["answers"] => {
  const columns = signs.trim().split(/ +/);
  if (columns.length !== CALLERS.length) throw new Error(`not one sign for each caller: ${signs}`);
  return Object.fromEntries(
    CALLERS.map((caller, index) => [caller, SIGNS[columns[index] ?? ""]]),
  ) as Row["answers"];
};

export const row = (
  needs: readonly Permission[],
  signs: string,
  request: Row["request"] = () => ({}),
  prepare: Row["prepare"] = async () => await Promise.resolve({}),
): Row => ({ needs, answers: answersOf(signs), request, prepare });

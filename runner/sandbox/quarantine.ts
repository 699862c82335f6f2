import { LRUCache } from "lru-cache";

import type { Clock } from "../../src/runtime/clock.ts";
import type { Ending } from "../executor.ts";
import { admit, type CrashLoop, judge, sentenceOf, verdictOf } from "./crash-loop.ts";

/**
 * Scripts that have crashed since they last survived, by organization and hash; of many, those that
 * crashed last. In memory: a runner that starts again has nothing against anybody.
 */
export type Quarantine = {
  /** Asks to begin an attempt. An empty `scriptHash` is always free. */
  ask(organizationId: string, scriptHash: string): Leave;
};

export type Leave =
  /** `ended` must be called with the ending; null: there was no attempt after all. */
  | { readonly kind: "go"; readonly ended: (ending: Ending | null) => void }
  | { readonly kind: "refused"; readonly why: string };

const MOST_SCRIPTS = 1_000;

const FREE: Leave = { kind: "go", ended: () => {} };

export const createQuarantine = (clock: Pick<Clock, "now">): Quarantine => {
  const loops = new LRUCache<string, CrashLoop>({ max: MOST_SCRIPTS });

  const keep = (key: string, loop: CrashLoop | null): void => {
    if (loop === null) loops.delete(key);
    else loops.set(key, loop);
  };

  return {
    ask: (organizationId, scriptHash) => {
      if (scriptHash === "") return FREE;
      const key = `${organizationId}/${scriptHash}`;
      const { admission, loop } = admit(loops.get(key) ?? null, clock.now());
      if (admission === "refused") {
        return { kind: "refused", why: loop === null ? "" : sentenceOf(loop) };
      }
      if (admission === "trial") keep(key, loop);
      return {
        kind: "go",
        ended: (ending) => {
          const verdict = ending === null ? ({ kind: "nothing" } as const) : verdictOf(ending);
          const before = loops.get(key) ?? null;
          const after = judge(before, admission, verdict, clock.now());
          if (after !== before) keep(key, after);
        },
      };
    },
  };
};

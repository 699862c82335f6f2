import { ConnectError } from "@connectrpc/connect";

import { type Clock, sleep } from "../src/runtime/clock.ts";
import type { Random } from "../src/runtime/random.ts";
import { backoffMs } from "./backoff.ts";
import { isPassing } from "./passing.ts";

const TRIES = 6;

/** Asks again while no server answers, for a while. @throws ConnectError */
export const persist = async <T>(
  { clock, random }: { readonly clock: Clock; readonly random: Random },
  ask: () => Promise<T>,
): Promise<T> => {
  for (let tries = 1; ; tries++) {
    try {
      return await ask();
    } catch (caught) {
      const cause = ConnectError.from(caught);
      if (tries === TRIES || !isPassing(cause)) throw cause;
      await sleep(clock, backoffMs(tries, random));
    }
  }
};

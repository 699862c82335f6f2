import { openStore } from "../../src/store/open.ts";
import type { Store } from "../../src/store/store.ts";

/** A real, empty store in memory, whose clock is the simulated one. */
export const openSimulatedStore = async (now: () => number): Promise<Store> =>
  await openStore("sqlite::memory:", { now, shards: 3 });

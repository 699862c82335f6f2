import { expect, test } from "vitest";

import { SCRIPT, type RunnerId } from "../../src/jobs/ids.ts";
import { silentLog } from "../../src/runtime/log.ts";
import { systemRandom } from "../../src/runtime/random.ts";
import { silentShardObserver } from "../../src/shard/observer.ts";
import { ShardActor } from "../../src/shard/actor.ts";
import { Slots } from "../../src/shard/slots.ts";
import { SpecKeeper } from "../../src/shard/spec-keeper.ts";
import { TURN_BOUNDS } from "../../src/shard/turn-bounds.ts";
import { openStore } from "../../src/store/open.ts";
import type { ShardStore } from "../../src/store/store.ts";
import { aSubmission } from "../support/job-row.ts";
import { createManualClock } from "../support/manual-clock.ts";

const RUNNER = "runner-1" as RunnerId;
const nothing = (): void => {};

/** The store's shards, which refuse to commit while `isFull` says so. */
const filling = (real: ShardStore, isFull: () => boolean): ShardStore => ({
  list: async () => await real.list(),
  claim: async (...all) => await real.claim(...all),
  renew: async (...all) => await real.renew(...all),
  release: async (...all) => {
    await real.release(...all);
  },
  load: async (...all) => await real.load(...all),
  readCold: async (...all) => await real.readCold(...all),
  purgeable: async (...all) => await real.purgeable(...all),
  purgeableWorkflows: async (...all) => await real.purgeableWorkflows(...all),
  outputLeft: async (...all) => await real.outputLeft(...all),
  removeAudit: async (...all) => await real.removeAudit(...all),
  commit: async (...all) => {
    if (isFull()) throw new Error("the disk is full");
    await real.commit(...all);
  },
});

test("a database that can be read but not written is asked again after a pause, until it can", async () => {
  const clock = createManualClock();
  const store = await openStore("sqlite::memory:", { now: clock.now });
  const slots = new Slots();
  const claimed = await store.shards.claim(0, "server", 10_000);
  if (claimed === null) throw new Error("the shard is not free");
  let full = false;
  const actor = new ShardActor({
    store: filling(store.shards, () => full),
    fence: { shardId: 0, epoch: claimed.epoch },
    slots,
    specs: new SpecKeeper(),
    bounds: TURN_BOUNDS,
    clock,
    random: systemRandom,
    observer: silentShardObserver,
    holdsLease: () => true,
    log: silentLog,
    gather: async () => {
      await new Promise((resolve) => setImmediate(resolve));
    },
    handOut: nothing,
    slotsMoved: nothing,
    expectRunners: nothing,
  });
  await actor.load();
  const running = actor.run();
  await actor.submit([aSubmission()]);

  full = true;
  slots.announce(RUNNER, [SCRIPT], 1);
  actor.poke();
  await clock.waitedFor(250);
  full = false;
  clock.advance(250);
  await expect.poll(() => actor.uses(RUNNER)).toBe(true);

  actor.stop();
  await running;
  await store.close();
});

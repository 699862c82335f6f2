import { expect, test } from "vitest";

import { ServerRunnerHub } from "../../src/cluster/runner-hub.ts";
import { SCRIPT, type OrganizationId, type RunnerId } from "../../src/jobs/ids.ts";
import { silentLog } from "../../src/runtime/log.ts";
import { systemRandom } from "../../src/runtime/random.ts";
import { silentShardObserver } from "../../src/shard/observer.ts";
import { ShardActor } from "../../src/shard/actor.ts";
import { Slots } from "../../src/shard/slots.ts";
import { SpecKeeper } from "../../src/shard/spec-keeper.ts";
import { TURN_BOUNDS } from "../../src/shard/turn-bounds.ts";
import { openStore } from "../../src/store/open.ts";
import { aSubmission } from "../support/job-row.ts";
import { createManualClock } from "../support/manual-clock.ts";

const RUNNER = "runner-1" as RunnerId;
const nothing = (): void => {};
const aHubWithTwoShards = async () => {
  const clock = createManualClock();
  const store = await openStore("sqlite::memory:", { now: clock.now, shards: 2 });
  const slots = new Slots();
  const actors = new Map<number, ShardActor>();
  const slotsMoved = (): void => {
    for (const shardId of slots.servable()) actors.get(shardId)?.poke();
  };
  const hub = new ServerRunnerHub({
    slots,
    clock,
    log: silentLog,
    shardOf: () => 0,
    actors: () => actors,
    slotsMoved,
  });
  for (const shardId of [0, 1]) {
    const claimed = await store.shards.claim(shardId, "server", 10_000);
    if (claimed === null) throw new Error("the shard is not free");
    const actor = new ShardActor({
      store: store.shards,
      fence: { shardId, epoch: claimed.epoch },
      slots,
      specs: new SpecKeeper(),
      bounds: TURN_BOUNDS,
      clock,
      random: systemRandom,
      observer: silentShardObserver,
      holdsLease: () => true,
      log: silentLog,
      gather: async () => {
        await Promise.resolve();
      },
      handOut: (handout) => {
        hub.handOut(handout);
      },
      slotsMoved,
      expectRunners: nothing,
    });
    await actor.load();
    void actor.run();
    actors.set(shardId, actor);
  }
  return { hub, actors, clock, store };
};

test("a lost runner is lost to every shard, also when one of them cannot be told", async () => {
  const { hub, actors, clock, store } = await aHubWithTwoShards();
  const [moving, staying] = [...actors.values()];
  if (moving === undefined || staying === undefined) throw new Error("there are no shards");
  const hello = {
    runnerId: RUNNER,
    displayName: "",
    capabilities: [SCRIPT],
    slots: 2,
    attempts: [],
    immediate: true,
  };
  await Array.fromAsync(hub.sync(hello, new AbortController().signal));
  for (const [index, actor] of [moving, staying].entries()) {
    await actor.submit([aSubmission({ organizationId: `org-${index}` as OrganizationId })]);
    await expect.poll(() => actor.uses(RUNNER)).toBe(true);
  }
  moving.stop();
  for (let second = 1; second <= 16; second += 1) {
    clock.advance(1_000);
    await hub.loseSilent();
  }
  expect(staying.uses(RUNNER)).toBe(false);
  staying.stop();
  await store.close();
});

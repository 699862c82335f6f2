import { expect, test } from "vitest";

import { RELEASE_JOB } from "../../src/jobs/attribute.ts";
import { SERVER } from "../../src/jobs/audit.ts";
import type { JobId, UserId } from "../../src/jobs/ids.ts";
import type { Submission } from "../../src/jobs/submission.ts";
import { silentLog } from "../../src/runtime/log.ts";
import { systemRandom } from "../../src/runtime/random.ts";
import { silentShardObserver } from "../../src/shard/observer.ts";
import { ShardActor } from "../../src/shard/actor.ts";
import { setAttribute } from "../../src/shard/commands/attributes.ts";
import { Slots } from "../../src/shard/slots.ts";
import { SpecKeeper } from "../../src/shard/spec-keeper.ts";
import { TURN_BOUNDS } from "../../src/shard/turn-bounds.ts";
import { openStore } from "../../src/store/open.ts";
import type { ShardStore, Store } from "../../src/store/store.ts";
import { aSubmission } from "../support/job-row.ts";
import { createManualClock } from "../support/manual-clock.ts";
import { acme } from "./harness.ts";

const ann = "ann" as UserId;
const nothing = (): void => {};

/** What the next commit comes to: the process dies before it, or after it and before its answer. */
type Fate = "commits" | "dies before" | "dies after";

class Death extends Error {}

const dying = (real: ShardStore, fateOf: () => Fate): ShardStore => ({
  ...real,
  commit: async (...all) => {
    const fate = fateOf();
    if (fate === "dies before") throw new Death("before the commit");
    await real.commit(...all);
    if (fate === "dies after") throw new Death("after the commit");
  },
});

const startActor = async (store: Store, shards: ShardStore, holdsLease: () => boolean) => {
  const claimed = await store.shards.claim(0, "server", 10_000);
  if (claimed === null) throw new Error("the shard is not free");
  const actor = new ShardActor({
    store: shards,
    fence: { shardId: 0, epoch: claimed.epoch },
    slots: new Slots(),
    specs: new SpecKeeper(),
    bounds: TURN_BOUNDS,
    clock: createManualClock(),
    random: systemRandom,
    observer: silentShardObserver,
    holdsLease,
    log: silentLog,
    gather: async () => {
      await new Promise((resolve) => setImmediate(resolve));
    },
    handOut: nothing,
    slotsMoved: nothing,
    expectRunners: nothing,
  });
  await actor.load();
  return { actor, running: actor.run() };
};

const deferred = (): Submission => ({ ...aSubmission({ runAs: ann }), deferred: true });

const releasing = (id: JobId) =>
  setAttribute(
    { organizationId: acme, userId: ann, name: RELEASE_JOB, value: id, kind: "DYNAMIC" },
    SERVER,
  );

/** Does the first, dies at the second, and tells what the database holds then. */
const left = async (fate: Fate, order: "job first" | "release first") => {
  const store = await openStore("sqlite::memory:");
  const submission = deferred();
  const { id } = submission.job;
  let next: Fate = "commits";
  let alive = true;
  const shards = dying(store.shards, () => {
    // A dead process tries nothing again.
    alive = next === "commits";
    return next;
  });
  const { actor, running } = await startActor(store, shards, () => alive);
  const steps = [
    async () => await actor.submit([submission]),
    async () => await actor.perform(releasing(id)),
  ];
  if (order === "release first") steps.reverse();
  await steps[0]?.();
  next = fate;
  await Promise.all([steps[1]?.().catch(nothing), running]);
  const place = { shardId: 0, organizationId: acme };
  const row = await store.jobs.find(place, id);
  const attributes = await store.identity.attributes(place, ann);
  await store.close();
  return { state: row?.state ?? "absent", attributes: attributes.length };
};

test("a crash leaves the job HELD without an attribute, or released without one", async () => {
  expect(await left("dies before", "job first")).toEqual({ state: "HELD", attributes: 0 });
  expect(await left("dies after", "job first")).toEqual({ state: "QUEUED", attributes: 0 });
});

test("a crash leaves the attribute without the job, or the released job without it", async () => {
  expect(await left("dies before", "release first")).toEqual({ state: "absent", attributes: 1 });
  expect(await left("dies after", "release first")).toEqual({ state: "QUEUED", attributes: 0 });
});

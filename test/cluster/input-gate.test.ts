import { afterEach, expect, test } from "vitest";

import { type CheckInput, createInputGate } from "../../src/cluster/input-gate.ts";
import { ServerRunnerHub } from "../../src/cluster/runner-hub.ts";
import type { Resolved } from "../../src/jobs/bindings.ts";
import { type Capability, type RunnerId, SCRIPT } from "../../src/jobs/ids.ts";
import type { AttemptRef } from "../../src/jobs/report.ts";
import { silentLog } from "../../src/runtime/log.ts";
import { systemRandom } from "../../src/runtime/random.ts";
import { ShardActor } from "../../src/shard/actor.ts";
import { submitWorkflow } from "../../src/shard/commands/workflow.ts";
import { silentShardObserver } from "../../src/shard/observer.ts";
import type { SyncAnswer } from "../../src/shard/owner.ts";
import { Slots } from "../../src/shard/slots.ts";
import { SpecKeeper } from "../../src/shard/spec-keeper.ts";
import { TURN_BOUNDS } from "../../src/shard/turn-bounds.ts";
import { openStore } from "../../src/store/open.ts";
import { createManualClock } from "../support/manual-clock.ts";
import { eventually } from "../support/eventually.ts";
import { placeOf } from "../support/store-rows.ts";
import { aWorkflow } from "../support/workflow.ts";

const RUNNER = "runner-1" as RunnerId;
const present = <T>(value: T | null | undefined): T => {
  if (value === null || value === undefined) throw new Error("something is missing");
  return value;
};
const stops: (() => Promise<void>)[] = [];
afterEach(async () => {
  for (const stop of stops.splice(0)) await stop();
});

/** A shard with two steps, of which the second takes a value of the first; `check` checks it. */
const withSteps = async (check: CheckInput, refuses: () => boolean = () => false) => {
  const clock = createManualClock();
  const store = await openStore("sqlite::memory:", { now: clock.now });
  const claimed = await store.shards.claim(0, "server", 10_000);
  if (claimed === null) throw new Error("the shard is not free");
  const slots = new Slots();
  const actors = new Map<number, ShardActor>();
  const slotsMoved = (): void => {
    for (const shardId of slots.servable()) actors.get(shardId)?.poke();
  };
  const log = silentLog;
  const hub = new ServerRunnerHub({
    ...{ slots, clock, log, slotsMoved },
    shardOf: () => 0,
    actors: () => actors,
  });
  const gate = createInputGate({
    ...{ hub, check, clock, log },
    report: async (report) => {
      if (refuses()) throw new Error("the owner has no time");
      await actor.report([report]);
    },
  });
  const actor = new ShardActor({
    ...{ store: store.shards, slots, clock, log, slotsMoved },
    fence: { shardId: 0, epoch: claimed.epoch },
    specs: new SpecKeeper(),
    bounds: TURN_BOUNDS,
    random: systemRandom,
    observer: silentShardObserver,
    holdsLease: () => true,
    gather: async () => {
      await Promise.resolve();
    },
    handOut: (handout) => {
      gate.handOut(handout);
    },
    expectRunners: () => {},
  });
  await actor.load();
  const running = actor.run();
  actors.set(0, actor);
  stops.push(async () => {
    actor.stop();
    await running;
    await store.close();
  });

  const capabilities: Capability[] = [SCRIPT];
  /** One call of the runner, which holds these attempts. */
  const call = async (attempts: readonly AttemptRef[] = []): Promise<SyncAnswer> => {
    const request = { runnerId: RUNNER, displayName: "", capabilities, slots: 5 };
    const calling = hub.sync(
      { ...request, attempts, immediate: true },
      new AbortController().signal,
    );
    const [answer] = await Array.fromAsync(calling);
    if (answer === undefined) throw new Error("there was no answer");
    return answer;
  };
  await call();
  const binding = { path: ["v"], step: "a", of: "result" as const, pointer: "", fallback: null };
  const job = { type: "t", typeVersion: 1 };
  const flow = aWorkflow({
    a: { job },
    b: { after: ["a"], job, input: '{"v":null}', bindings: [binding] },
  });
  await actor.perform(submitWorkflow(flow));
  const first = await eventually(async () => present((await call()).assignments[0]));
  const ending = { kind: "succeeded" as const, result: "7", cpuMs: 1, peakMemoryBytes: 1 };
  const nothing = { progress: null, output: [], steps: [] };
  await actor.report([{ ref: first.ref, seq: 1, ...nothing, ending }]);
  const second = present(flow.steps[1]).submission.job;
  const place = placeOf(second);
  return {
    clock,
    call,
    hub,
    /** The row of the step whose input is checked. */
    row: async () => present(await store.jobs.find(place, second.id)),
    attempts: async () => await store.jobs.attempts(place, second.id),
  };
};

/** A check that a test answers when it likes. */
const byHand = () => {
  const asked = Promise.withResolvers<string>();
  const answer = Promise.withResolvers<Resolved>();
  const check: CheckInput = async (_organizationId, { input }) => {
    asked.resolve(input);
    return await answer.promise;
  };
  return { check, asked: asked.promise, answer };
};

const REFUSAL = { code: "input.invalid", message: "input/v: no", stack: "", retryable: false };

test("an attempt waits for its check, is not lost meanwhile, and is handed out once, as checked", async () => {
  const { check, asked, answer } = byHand();
  const { call, clock, row } = await withSteps(check);
  expect(await asked).toBe('{"v":7}');
  clock.advance(4_900);
  expect((await call()).assignments).toEqual([]);
  answer.resolve({ kind: "input", input: '{"v":7,"filled":true}' });
  const { ref, input } = await eventually(async () => present((await call()).assignments[0]));
  expect(input).toBe('{"v":7,"filled":true}');
  clock.advance(4_000);
  expect((await call([ref])).assignments).toEqual([]);
  expect(await row()).toMatchObject({ state: "RUNNING", attempt: 1, lostCount: 0 });
});

const never = async (): Promise<Resolved> => await new Promise<Resolved>(() => {});
const away = async (): Promise<Resolved> => await Promise.reject(new Error("it is away"));

test.each([
  ["takes too long", never],
  ["cannot be made", away],
])("an attempt whose check %s is handed out as it is, once", async (_, check) => {
  const { call, clock, row } = await withSteps(check);
  await eventually(async () => expect(await row()).toMatchObject({ state: "RUNNING" }));
  clock.advance(5_000);
  const { ref, input } = await eventually(async () => present((await call()).assignments[0]));
  expect(input).toBe('{"v":7}');
  expect((await call([ref])).assignments).toEqual([]);
  expect(await row()).toMatchObject({ state: "RUNNING", attempt: 1, lostCount: 0 });
});

test("what does not fit fails for good, and its runner never hears of it", async () => {
  const { check, answer } = byHand();
  const { call, row, attempts } = await withSteps(check);
  answer.resolve({ kind: "failed", error: REFUSAL });
  await eventually(async () => expect(await row()).toMatchObject({ state: "FAILED" }));
  expect(await row()).toMatchObject({ error: REFUSAL, retryCount: 0 });
  expect(await call()).toEqual({ assignments: [], cancellations: [], lost: [] });
  expect(await attempts()).toHaveLength(1);
});

test("a refusal that could not be reported costs an attempt, which is checked again", async () => {
  let refusals = 0;
  const check: CheckInput = async () => await Promise.resolve({ kind: "failed", error: REFUSAL });
  const { call, clock, row, attempts } = await withSteps(check, () => (refusals += 1) === 1);
  await eventually(() => expect(refusals).toBe(1));
  clock.advance(5_001);
  await call();
  await eventually(async () => expect(await row()).toMatchObject({ state: "FAILED" }));
  expect((await attempts()).map(({ outcome }) => outcome)).toEqual(["LOST", "FAILED"]);
});

test("a runner that is lost meanwhile gets nothing of it when it comes back", async () => {
  const { check, asked, answer } = byHand();
  const { call, clock, hub, row } = await withSteps(check);
  await asked;
  for (let second = 1; second <= 16; second += 1) {
    clock.advance(1_000);
    await hub.loseSilent();
  }
  expect(await row()).toMatchObject({ state: "QUEUED", lostCount: 1 });
  answer.resolve({ kind: "input", input: "late" });
  const { ref } = await eventually(async () => present((await call()).assignments[0]));
  expect(ref.attempt).toBe(2);
});

import { expect, test } from "vitest";

import { createTurnstile, GIVES_WAY_MS } from "../../runner/sandbox/turnstile.ts";
import { createManualClock } from "../support/manual-clock.ts";

const never = new AbortController().signal;

const setUp = (most: number) => {
  const clock = createManualClock();
  const turnstile = createTurnstile(clock, most);
  const within = new Map<string, () => void>();
  const come = async (name: string, signal = never): Promise<void> => {
    within.set(name, await turnstile.enter(signal));
  };
  return {
    clock,
    come,
    names: () => [...within.keys()],
    leave: (name: string) => within.get(name)?.(),
  };
};

test("attempts begin in their order, one for each that has ended", async () => {
  const { come, names, leave } = setUp(2);
  const all = ["a", "b", "c", "d"].map(async (name) => await come(name));
  await Promise.all(all.slice(0, 2));
  expect(names()).toEqual(["a", "b"]);
  leave("b");
  await all[2];
  expect(names()).toEqual(["a", "b", "c"]);
  leave("b");
  leave("a");
  await all[3];
  expect(names()).toEqual(["a", "b", "c", "d"]);
});

test("an attempt that does not end lets the next one in, once", async () => {
  const { clock, come, names, leave } = setUp(1);
  const all = ["a", "b", "c"].map(async (name) => await come(name));
  await all[0];
  clock.advance(GIVES_WAY_MS);
  await all[1];
  leave("a");
  await Promise.resolve();
  expect(names()).toEqual(["a", "b"]);
  leave("b");
  await all[2];
});

test("who is cancelled while he waits takes nobody's turn", async () => {
  const { come, names, leave } = setUp(1);
  await come("a");
  const controller = new AbortController();
  const cancelled = come("b", controller.signal);
  const next = come("c");
  controller.abort(new Error("cancelled"));
  await expect(cancelled).rejects.toThrow("cancelled");
  leave("a");
  await next;
  expect(names()).toEqual(["a", "c"]);
});

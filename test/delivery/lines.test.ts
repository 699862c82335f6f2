import { describe, expect, it } from "vitest";

import { type Grant, Lines } from "../../src/delivery/lines.ts";
import { Silences } from "../../src/delivery/silences.ts";
import type { DeliveryId, OrganizationId } from "../../src/jobs/ids.ts";
import { Dice } from "../simulation/world.ts";

const NEVER = Number.POSITIVE_INFINITY;
const NOW = 1_000;
const SECOND = 1_000;

const lines = (atOnce = 16, atOncePerReceiver = 4) => new Lines({ atOnce, atOncePerReceiver });

const expectAt = (all: Lines, organization: string, origin: string, at = NOW): void => {
  all.expect(0, { organizationId: organization as OrganizationId, origin }, at);
};

let ids = 0;
/** All places of a grant are used, and more waits there. */
const fill = (all: Lines, grant: Grant, nextAt = NOW): DeliveryId[] => {
  const taken = Array.from({ length: grant.room }, () => `id-${(ids += 1)}` as DeliveryId);
  all.looked(grant, taken, nextAt);
  return taken;
};

/** Everything that is given out while nothing comes back, as `organization origin`. */
const fillAll = (
  all: Lines,
  now = NOW,
): { readonly grant: Grant; readonly taken: DeliveryId[] }[] => {
  const given = [];
  for (let grant = all.next(now); grant !== null; grant = all.next(now)) {
    given.push({ grant, taken: fill(all, grant, now) });
  }
  return given;
};

const sentTo = (all: Lines): Map<string, number> => {
  const counts = new Map<string, number>();
  for (const { grant, taken } of fillAll(all)) {
    const { organizationId } = grant.line.receiver;
    counts.set(organizationId, (counts.get(organizationId) ?? 0) + taken.length);
  }
  return counts;
};

describe("lines of notices", () => {
  it("give a receiver its places and no more, whoever sends to it", () => {
    const all = lines();
    expectAt(all, "a", "https://shared");
    expectAt(all, "b", "https://shared");
    const given = fillAll(all);
    expect(given.reduce((sum, { taken }) => sum + taken.length, 0)).toBe(4);
    const [first] = given;
    if (first === undefined) throw new Error("nothing was given");
    // One leaves a place to the other.
    expect(given.map(({ taken }) => taken.length)).toEqual([3, 1]);
    for (const id of first.taken) all.done(first.grant, id);
    expect(fillAll(all).reduce((sum, { taken }) => sum + taken.length, 0)).toBe(3);
  });

  it("leave places to organizations that come later", () => {
    const all = lines();
    for (let index = 0; index < 50; index += 1) expectAt(all, "greedy", `https://${index}`);
    expect(sentTo(all)).toEqual(new Map([["greedy", 9]]));
    expectAt(all, "late", "https://late");
    expect(sentTo(all)).toEqual(new Map([["late", 3]]));
  });

  it("give one place to a receiver that does not answer, and a quarter of all to such ones", () => {
    const all = lines();
    for (let index = 0; index < 20; index += 1) {
      expectAt(all, `org-${index}`, `https://dead-${index}`);
    }
    // All are tried, a few at a time, and say nothing.
    for (let tries = 0; tries < 10; tries += 1) {
      for (const { grant, taken } of fillAll(all)) {
        for (const id of taken) {
          all.answered(grant, false, NOW);
          all.done(grant, id);
        }
      }
    }
    expect(all.wakesAt()).toBe(NOW + SECOND);
    const held = fillAll(all, NOW + SECOND);
    expect(held.every(({ taken }) => taken.length === 1)).toBe(true);
    expect(held).toHaveLength(4);
    expectAt(all, "alive", "https://alive");
    expect(sentTo(all)).toEqual(new Map([["alive", 4]]));
  });

  it("leave a receiver that does not answer alone for ever longer, until somebody asks", () => {
    const all = lines();
    const receiver = { organizationId: "a" as OrganizationId, origin: "https://dead" };
    expectAt(all, "a", "https://dead");
    const pauses: number[] = [];
    let now = NOW;
    for (let tries = 0; tries < 9; tries += 1) {
      const given = fillAll(all, now);
      for (const { grant, taken } of given) {
        for (const id of taken) {
          all.answered(grant, false, now);
          all.done(grant, id);
        }
      }
      expect(all.next(now)).toBeNull();
      pauses.push(all.wakesAt() - now);
      now = all.wakesAt();
    }
    expect(pauses.map((ms) => ms / SECOND)).toEqual([1, 2, 4, 8, 16, 32, 60, 60, 60]);
    const before = now - 30 * SECOND;
    expect(all.next(before)).toBeNull();
    expect(all.dueSince(before)).toBeLessThan(before);
    all.askAgain(0, receiver);
    expect(all.next(before)?.room).toBe(1);
  });

  it("sleep until their time, and are forgotten when nothing waits", () => {
    const all = lines();
    expectAt(all, "a", "https://later", NOW + 5);
    expect(all.next(NOW)).toBeNull();
    expect(all.wakesAt()).toBe(NOW + 5);
    const grant = all.next(NOW + 5);
    if (grant === null) throw new Error("it is due");
    // Something new was committed while the line was read.
    expectAt(all, "a", "https://later", NOW + 7);
    all.looked(grant, [], NEVER);
    expect(all.wakesAt()).toBe(NOW + 7);
  });

  it.each(Array.from({ length: 20 }, (_, seed) => seed))(
    "let nobody wait where a place is free, whatever comes (seed %i)",
    (seed) => {
      const dice = new Dice(seed);
      const all = lines(400, 4);
      const held = new Silences();
      const waiting = new Map<string, number>();
      const sent: { readonly grant: Grant; readonly id: DeliveryId }[] = [];
      const keyOf = ({ line: { receiver } }: Grant): string =>
        `${receiver.organizationId} ${receiver.origin}`;
      let now = NOW;
      for (let step = 0; step < 300; step += 1) {
        const deadOrigin = `o${dice.between(0, 3)}`;
        const what = dice.fraction();
        const [{ grant, id } = {}] = sent.splice(dice.between(0, 30), what < 0.5 ? 1 : 0);
        if (what > 0.95) now += dice.between(1, 20) * SECOND;
        else if (grant !== undefined && id !== undefined) {
          const didAnswer = grant.line.receiver.origin !== deadOrigin;
          all.answered(grant, didAnswer, now);
          if (didAnswer) held.heard(keyOf(grant));
          else held.silent(keyOf(grant), now);
          all.done(grant, id);
        } else {
          const key = `${dice.between(0, 7)} o${dice.between(0, 3)}`;
          const [organization = "", origin = ""] = key.split(" ");
          waiting.set(key, (waiting.get(key) ?? 0) + 1);
          expectAt(all, organization, origin, now);
        }
        for (let next = all.next(now); next !== null; next = all.next(now)) {
          const count = waiting.get(keyOf(next)) ?? 0;
          const taken = Array.from(
            { length: Math.min(next.room, count) },
            () => `id-${(ids += 1)}` as DeliveryId,
          );
          waiting.set(keyOf(next), count - taken.length);
          all.looked(next, taken, count > taken.length ? now : NEVER);
          for (const one of taken) sent.push({ grant: next, id: one });
        }
        const at = (test: (key: string) => boolean): number =>
          sent.filter((one) => test(keyOf(one.grant))).length;
        for (const [key, count] of waiting) {
          const [, origin = ""] = key.split(" ");
          const mayGo = count > 0 && held.endOf(key) <= now && at((one) => one === key) === 0;
          if (mayGo) expect(at((one) => one.endsWith(` ${origin}`))).toBe(4);
          expect(at((one) => one.endsWith(` ${origin}`))).toBeLessThanOrEqual(4);
        }
      }
    },
  );

  it("of a shard that moved away send nothing more, and what is under way comes to its end", () => {
    const all = lines();
    expectAt(all, "a", "https://a");
    const grant = all.next(NOW);
    if (grant === null) throw new Error("it is due");
    const taken = fill(all, grant);
    all.keepOnly(new Set([7]));
    for (const id of taken) all.done(grant, id);
    expect(all.next(NOW)).toBeNull();
    expect(all.wakesAt()).toBe(NEVER);
  });

  it("tell since when the most overdue notice waits, whoever has no place for it", () => {
    const all = lines(16, 1);
    expect(all.dueSince(NOW)).toBeNull();
    expectAt(all, "a", "https://shared", NOW - 30);
    expectAt(all, "b", "https://shared", NOW - 50);
    expectAt(all, "c", "https://later", NOW + 1);
    expect(all.dueSince(NOW)).toBe(NOW - 50);
    const grant = all.next(NOW);
    if (grant === null) throw new Error("nothing was given");
    fill(all, grant, NEVER);
    expect(all.next(NOW)).toBeNull();
    // All places are taken: the other waits on.
    expect(all.dueSince(NOW)).toBe(NOW - 30);
  });
});

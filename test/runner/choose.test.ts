import { describe, expect, it } from "vitest";

import { choose, type Member, surplus } from "../../runner/sandbox/choose.ts";

const idle = (organizationId: string | null, usedAt = 1): Member => ({
  state: "idle",
  organizationId,
  usedAt,
});
const busy = (organizationId: string): Member => ({ state: "busy", organizationId, usedAt: 1 });

/** Who has waited for long enough is not patient any more. */
const PATIENT = true;
const LONG = false;

describe("the choice of a child", () => {
  it("falls on one that served the organization, before a fresh one", () => {
    const own = idle("acme");
    expect(
      choose([idle(null), own], "acme", { isolation: "tenant", slots: 2, most: 3 }, LONG),
    ).toEqual({
      kind: "use",
      member: own,
    });
  });

  it("falls on a fresh one, before a new one", () => {
    const fresh = idle(null);
    expect(
      choose([busy("acme"), fresh], "acme", { isolation: "tenant", slots: 2, most: 3 }, LONG),
    ).toEqual({
      kind: "use",
      member: fresh,
    });
  });

  it("never falls on one that served somebody else", () => {
    expect(
      choose([idle("bolt")], "acme", { isolation: "tenant", slots: 2, most: 2 }, LONG),
    ).toEqual({
      kind: "spawn",
    });
  });

  it("replaces the one that was idle longest when there is no room", () => {
    const old = idle("bolt", 1);
    const members = [idle("bolt", 3), old, busy("acme")];
    expect(choose(members, "acme", { isolation: "tenant", slots: 2, most: 3 }, LONG)).toEqual({
      kind: "replace",
      member: old,
    });
  });

  it("waits for one of its own that tidies up, when it has one for each slot", () => {
    const members = [busy("acme"), busy("acme"), idle(null), idle("bolt")];
    expect(choose(members, "acme", { isolation: "tenant", slots: 2, most: 4 }, LONG)).toEqual({
      kind: "wait",
    });
    expect(choose(members, "bolt", { isolation: "tenant", slots: 2, most: 4 }, LONG).kind).toBe(
      "use",
    );
  });

  it("takes no place from others before its patience ends, if a child of its own runs", () => {
    const room = { isolation: "tenant", slots: 2, most: 3 } as const;
    const members = [busy("acme"), idle("bolt"), idle(null)];
    expect(choose(members, "acme", room, PATIENT)).toEqual({ kind: "wait" });
    expect(choose(members, "acme", room, LONG).kind).toBe("use");
    expect(choose(members, "cord", room, PATIENT).kind).toBe("use");
    const inTheirPlace = [
      busy("acme"),
      idle("bolt"),
      { ...idle(null), state: "starting" as const },
    ];
    expect(choose(inTheirPlace, "acme", { ...room, slots: 3 }, PATIENT)).toEqual({ kind: "wait" });
    expect(choose(inTheirPlace, "acme", { ...room, slots: 3 }, LONG).kind).toBe("replace");
    // While there is room for one more, nobody loses a child.
    expect(choose([busy("acme"), idle(null)], "acme", room, PATIENT).kind).toBe("use");
  });

  it("waits when all are busy", () => {
    expect(
      choose(
        [busy("acme"), busy("bolt")],
        "acme",
        { isolation: "tenant", slots: 2, most: 2 },
        LONG,
      ),
    ).toEqual({
      kind: "wait",
    });
  });
});

describe("the choice of a child in `process` isolation", () => {
  const room = { isolation: "process", slots: 2, most: 3 } as const;

  it("never falls on one that has served", () => {
    expect(choose([idle("acme")], "acme", room, LONG)).toEqual({ kind: "spawn" });
    const fresh = idle(null);
    expect(choose([idle("acme"), fresh], "acme", room, LONG)).toEqual({
      kind: "use",
      member: fresh,
    });
  });
});

describe("the choice of a child in `shared` isolation", () => {
  const room = { isolation: "shared", slots: 2, most: 3 } as const;

  it("falls on the one that was used last, whomever it served, before a fresh one", () => {
    const last = idle("bolt", 2);
    const members = [idle(null), idle("acme", 1), last];
    expect(choose(members, "acme", room, LONG)).toEqual({ kind: "use", member: last });
  });

  it("waits when as many as there are slots have served", () => {
    expect(choose([busy("acme"), busy("bolt"), idle(null)], "cord", room, LONG)).toEqual({
      kind: "wait",
    });
  });
});

describe("the surplus", () => {
  it("is the oldest idle one once more have served than there are slots", () => {
    const old = idle("acme", 1);
    expect(surplus([idle("bolt", 2), old, idle(null)], 1)).toBe(old);
    expect(surplus([idle("bolt", 2), old], 2)).toBeNull();
    expect(surplus([busy("acme"), busy("bolt")], 1)).toBeNull();
  });
});

import { readFileSync } from "node:fs";

import { describe, expect, test } from "vitest";

import {
  IllegalTransition,
  INITIAL_STATES,
  JOB_EVENTS,
  JOB_STATES,
  TRANSITIONS,
  hasEnded,
  isLegal,
  transition,
  type JobEvent,
  type JobState,
} from "../../src/jobs/states.ts";
import { renderStates } from "../../scripts/render-states.ts";

describe("the table of transitions", () => {
  test.each(
    JOB_STATES.flatMap((from) => JOB_EVENTS.map((event): [JobState, JobEvent] => [from, event])),
  )("%s × %s: allows what it lists and refuses every other target", (from, event) => {
    const allowed: readonly JobState[] = TRANSITIONS[from][event] ?? [];
    for (const to of JOB_STATES) {
      expect(isLegal(from, event, to)).toBe(allowed.includes(to));
      if (allowed.includes(to)) expect(transition(from, event, to)).toBe(to);
      else expect(() => transition(from, event, to)).toThrow(IllegalTransition);
    }
  });

  test("a succeeded job never changes again, a cancelled one only with what had blocked it", () => {
    expect(TRANSITIONS.SUCCEEDED).toEqual({});
    expect(Object.keys(TRANSITIONS.CANCELLED)).toEqual(["revive"]);
  });

  test("a failed job changes only when it is retried by hand", () => {
    expect(Object.keys(TRANSITIONS.FAILED)).toEqual(["retry"]);
  });

  test("every state can be reached, and every active one has a way to an end", () => {
    const reached = new Set<JobState>(INITIAL_STATES);
    for (const state of reached) {
      for (const targets of Object.values(TRANSITIONS[state])) {
        for (const target of targets) reached.add(target);
      }
    }
    expect([...reached].sort()).toEqual([...JOB_STATES].sort());
    for (const state of JOB_STATES.filter((one) => !hasEnded(one))) {
      expect(Object.values(TRANSITIONS[state]).flat().some(hasEnded)).toBe(true);
    }
  });

  test("every active state can be cancelled", () => {
    for (const state of JOB_STATES.filter((one) => !hasEnded(one))) {
      expect(isLegal(state, "cancel", "CANCELLED")).toBe(true);
    }
  });

  test("docs/states.md shows this table", () => {
    const page = readFileSync(new URL("../../docs/states.md", import.meta.url), "utf8");
    expect(page).toBe(renderStates());
  });
});

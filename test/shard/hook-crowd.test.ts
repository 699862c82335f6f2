import { expect, test } from "vitest";

import { SERVER } from "../../src/jobs/audit.ts";
import { JobFault } from "../../src/jobs/errors.ts";
import type { HookRow } from "../../src/jobs/hook.ts";
import { LIMITS } from "../../src/jobs/limits.ts";
import type { JobState } from "../../src/jobs/states.ts";
import { createHook, updateHook } from "../../src/shard/commands/hook.ts";
import { aHookRow, onJobs } from "../support/hook-row.ts";
import { acme, Shard } from "./harness.ts";

const reasonOf = (outcome: unknown): string =>
  outcome instanceof JobFault ? outcome.reason : "no fault";

const of = (types: readonly string[], states: readonly JobState[] = ["FAILED"]): HookRow =>
  aHookRow({ event: onJobs({ types: [...types], states: [...states] }) });
const half = LIMITS.hooksOfChange / 2;
const halves = Array.from({ length: half }, () => [of([]), of(["a", "b"])]).flat();
const outcomeOf = (hook: HookRow): string =>
  reasonOf(new Shard({ hooks: halves }).do(createHook(hook, null, SERVER)).outcome);

test.each([
  ["of all types", of([])],
  ["of a type of theirs", of(["x", "b"], ["QUEUED", "FAILED"])],
  ["of any labels", aHookRow({ event: onJobs({ labels: { tier: "gold" } }) })],
])("one more %s than may be told of one change of a job is refused", (_, hook) => {
  expect(outcomeOf(hook)).toBe("TOO_MANY_HOOKS");
});

test.each([
  ["of another state", of([], ["QUEUED"])],
  ["of another type", of(["x"])],
])("one more %s is not one of them", (_, hook) => {
  expect(outcomeOf(hook)).toBe("no fault");
});

test("a change of a hook does not make it one too many", () => {
  const [first] = halves;
  const other = of(["x"]);
  const shard = new Shard({ hooks: [...halves, other] });
  const changed = (row: HookRow | undefined): string => {
    const { event, name, target } = of([]);
    const key = { organizationId: acme, id: row?.id ?? ("" as HookRow["id"]) };
    return reasonOf(shard.do(updateHook(key, 0, { event, name, target }, SERVER)).outcome);
  };
  expect(changed(first)).toBe("no fault");
  expect(changed(other)).toBe("TOO_MANY_HOOKS");
});

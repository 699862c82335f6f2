import { expect, test } from "vitest";

import { SpecKeeper } from "../../src/shard/spec-keeper.ts";
import { aSubmission } from "../support/job-row.ts";

test("a long backlog of small jobs is not kept whole, and what is dropped makes room", () => {
  const keeper = new SpecKeeper();
  const specs = Array.from({ length: 40_000 }, () => aSubmission().spec);
  for (const spec of specs) keeper.keep(spec);
  const [first, last] = [specs.at(0), specs.at(-1)];
  if (first === undefined || last === undefined) throw new Error("there are no specs");
  expect(keeper.find(first)).toBe(first);
  expect(keeper.find(last)).toBeUndefined();
  keeper.drop(first);
  keeper.keep(last);
  expect(keeper.find(last)).toBe(last);
});

import { expect, it } from "vitest";

import { complaints, soak } from "./soaking.ts";

it("a hundred scripts and more, one in ten hostile, leave no child and no memory behind, and harm no honest one", async () => {
  const report = await soak({ scripts: 120, isolation: "tenant", progress: () => {} });
  expect(complaints(report)).toEqual([]);
  expect(report).toMatchObject({ honest: 108, hostile: 12 });
});

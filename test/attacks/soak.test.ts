import { expect, it } from "vitest";

import { complaints, soak } from "./soaking.ts";

it("hundreds of scripts, one in ten hostile, leave no child and no memory behind, and harm no honest one", async () => {
  const report = await soak({ scripts: 300, isolation: "tenant", progress: () => {} });
  expect(complaints(report)).toEqual([]);
  expect(report).toMatchObject({ honest: 270, hostile: 30 });
}, 120_000);

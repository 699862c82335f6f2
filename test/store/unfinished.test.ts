import { describe, expect, test } from "vitest";

import type { UnfinishedRow } from "../../src/jobs/unfinished.ts";
import { NOTHING_WANTED } from "../../src/store/store.ts";
import { claimed } from "../support/changes.ts";
import { ENGINES } from "../support/databases.ts";
import { aJobId, aJobRow } from "../support/job-row.ts";
import { ACME, GLOBEX } from "../support/store-rows.ts";
import { withStore } from "../support/stores.ts";

describe.each(ENGINES)("what a commit leaves to later ones, on %s", (engine) => {
  const given = withStore(engine);

  test("is found by the next owner, until it has been done", async () => {
    const { shards } = given.store;
    const { commit } = await claimed(shards);
    const ended = aJobRow({ state: "CANCELLED", endedAt: 1, purgeAt: 9_000 });
    const asked = aJobRow({ state: "RUNNING", cancelRequestedAt: 1 });
    const left = [ended, asked].map(({ organizationId, id }): UnfinishedRow => ({
      organizationId,
      kind: "settle",
      id,
      body: "",
    }));
    const told = [ACME, ACME, GLOBEX, ACME].map((organizationId, at): UnfinishedRow => ({
      ...{ organizationId, kind: "tell", id: aJobId() },
      body: JSON.stringify({ at, text: "ünïcode 🚚" }),
    }));
    await commit({ inserted: [ended, asked], unfinished: [...told, ...left] });

    const loaded = await shards.load(0);
    expect(new Set(loaded.unsettled.map(({ id }) => id))).toEqual(new Set([ended.id, asked.id]));
    expect(loaded.untold).toEqual(
      new Map([
        [ACME, 3],
        [GLOBEX, 1],
      ]),
    );
    expect(loaded.organizations.map(({ organizationId }) => organizationId)).toEqual(
      expect.arrayContaining([ACME, GLOBEX]),
    );
    const untold = [{ organizationId: ACME, limit: 2 }];
    const page = await shards.readCold(0, { ...NOTHING_WANTED, untold });
    expect(page.untold).toEqual([told[0], told[1]]);

    await commit({ finished: [...left, ...page.untold] });
    const after = await shards.load(0);
    expect([after.unsettled, after.untold]).toEqual([
      [],
      new Map([
        [ACME, 1],
        [GLOBEX, 1],
      ]),
    ]);
  });
});

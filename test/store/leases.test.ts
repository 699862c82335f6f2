import { describe, expect, test } from "vitest";

import { Deposed } from "../../src/store/store.ts";
import { someChanges } from "../support/changes.ts";
import { ENGINES } from "../support/databases.ts";
import { withStore } from "../support/stores.ts";

const MINUTE = 60_000;
/** Ends at the moment at which it is given. */
const SPENT = 0;

describe.each(ENGINES)("leases on %s", (engine) => {
  const given = withStore(engine);

  test("a free shard is claimed, at the next epoch and the revision that it has", async () => {
    const { shards } = given.store;
    expect(await shards.claim(2, "one", MINUTE)).toEqual({ epoch: 1, revision: 0 });
    await shards.commit({ shardId: 2, epoch: 1 }, someChanges({ revision: 1 }));
    expect(await shards.claim(2, "one", MINUTE)).toEqual({ epoch: 2, revision: 1 });
  });

  test("every shard says who owns it, and whether the lease has run out", async () => {
    const { shards } = given.store;
    await shards.claim(1, "one", MINUTE);
    await shards.claim(3, "two", SPENT);
    expect(await shards.list()).toEqual([
      { id: 0, epoch: 0, revision: 0, owner: "", leaseExpired: true },
      { id: 1, epoch: 1, revision: 0, owner: "one", leaseExpired: false },
      { id: 2, epoch: 0, revision: 0, owner: "", leaseExpired: true },
      { id: 3, epoch: 1, revision: 0, owner: "two", leaseExpired: true },
    ]);
  });

  test("a shard with a lease is not given to another", async () => {
    const { shards } = given.store;
    await shards.claim(0, "one", MINUTE);
    expect(await shards.claim(0, "two", MINUTE)).toBeNull();
    expect((await shards.list())[0]).toMatchObject({ owner: "one", epoch: 1 });
  });

  test("a lease that has run out goes to whoever comes, and deposes the owner", async () => {
    const { shards } = given.store;
    await shards.claim(0, "one", SPENT);
    expect(await shards.claim(0, "two", MINUTE)).toEqual({ epoch: 2, revision: 0 });
    const late = shards.commit({ shardId: 0, epoch: 1 }, someChanges({ revision: 1 }));
    await expect(late).rejects.toThrow(Deposed);
    expect(await shards.renew([{ shardId: 0, epoch: 1 }], "one", MINUTE)).toEqual([]);
  });

  test("a server takes the lease of its own earlier life at once, and deposes it", async () => {
    const { shards } = given.store;
    await shards.claim(0, "one", MINUTE);
    expect(await shards.claim(0, "one", MINUTE)).toEqual({ epoch: 2, revision: 0 });
    const earlier = shards.commit({ shardId: 0, epoch: 1 }, someChanges({ revision: 1 }));
    await expect(earlier).rejects.toThrow(Deposed);
  });

  test("of two servers that claim a free shard at once, one gets it", async () => {
    const other = await given.another();
    const claims = await Promise.all([
      given.store.shards.claim(0, "one", MINUTE),
      other.shards.claim(0, "two", MINUTE),
    ]);
    expect(claims.filter((claim) => claim !== null)).toEqual([{ epoch: 1, revision: 0 }]);
  });

  test("a renewal keeps what is still the owner's, and says which that is", async () => {
    const { shards } = given.store;
    await shards.claim(0, "one", SPENT);
    await shards.claim(1, "one", SPENT);
    await shards.claim(1, "two", SPENT);
    await shards.claim(2, "one", SPENT);
    const fences = [
      { shardId: 0, epoch: 1 },
      { shardId: 1, epoch: 1 },
      { shardId: 2, epoch: 7 },
    ];
    expect(await shards.renew(fences, "one", MINUTE)).toEqual([0]);
    expect((await shards.list()).map(({ leaseExpired }) => leaseExpired)).toEqual([
      false,
      true,
      true,
      true,
    ]);
  });

  test("renewing twice within a millisecond is no loss", async () => {
    const { shards } = given.store;
    await shards.claim(0, "one", MINUTE);
    const fence = { shardId: 0, epoch: 1 };
    const renewals = Array.from({ length: 5 }, () => shards.renew([fence], "one", MINUTE));
    expect(await Promise.all(renewals)).toEqual([[0], [0], [0], [0], [0]]);
  });

  test("a released shard is free for all", async () => {
    const { shards } = given.store;
    await shards.claim(0, "one", MINUTE);
    await shards.release({ shardId: 0, epoch: 1 }, "one");
    expect(await shards.claim(0, "two", MINUTE)).toEqual({ epoch: 2, revision: 0 });
  });

  test("a release by somebody who is not the owner any more changes nothing", async () => {
    const { shards } = given.store;
    await shards.claim(0, "one", SPENT);
    await shards.claim(0, "two", MINUTE);
    await shards.release({ shardId: 0, epoch: 1 }, "one");
    expect(await shards.claim(0, "three", MINUTE)).toBeNull();
  });
});

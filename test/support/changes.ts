import {
  type Fence,
  NO_CHANGES,
  type ShardChanges,
  type ShardId,
  type ShardStore,
} from "../../src/store/store.ts";

/** What a commit writes, with only the lists that matter said. */
export const someChanges = (
  facts: Partial<ShardChanges> & Pick<ShardChanges, "revision">,
): ShardChanges => ({
  ...NO_CHANGES,
  ...facts,
});

export type TestOwner = {
  readonly fence: Fence;
  /** Commits at the next revision, which all jobs given are stamped with. Answers with it. */
  commit(facts: Partial<Omit<ShardChanges, "revision">>): Promise<number>;
};

/** Somebody who has claimed a shard and commits to it. */
export const claimed = async (
  shards: ShardStore,
  shardId: ShardId = 0,
  name = "a test",
): Promise<TestOwner> => {
  const lease = await shards.claim(shardId, name, 60_000);
  if (lease === null) throw new Error(`shard ${shardId} is taken`);
  const fence = { shardId, epoch: lease.epoch };
  let { revision } = lease;
  return {
    fence,
    commit: async (facts) => {
      const next = revision + 1;
      const stamped = (jobs: ShardChanges["inserted"] = []): ShardChanges["inserted"] =>
        jobs.map((job) => ({ ...job, revision: next }));
      await shards.commit(
        fence,
        someChanges({
          ...facts,
          revision: next,
          inserted: stamped(facts.inserted),
          updated: stamped(facts.updated),
        }),
      );
      revision = next;
      return next;
    },
  };
};

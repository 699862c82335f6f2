import { rollUpShard, type RollupOptions } from "../../src/cluster/metric-rollup.ts";
import type { Cluster } from "../../src/cluster/cluster.ts";
import type { OrganizationId } from "../../src/jobs/ids.ts";
import type { World } from "./world.ts";

/** How far the clock may be ahead that says which hours are over. */
const AHEAD_MS = 30_000;

/**
 * Rolls points up far more often than a server does, in commits of few rows, and by a clock that is
 * ahead: hours are closed while their owners would still write into them. Goes on until its server
 * dies.
 */
export const keepRollingUp = async (
  { world, cluster, isAlive }: { world: World; cluster: Cluster; isAlive: () => boolean },
  options: RollupOptions,
  organizations: readonly OrganizationId[],
): Promise<void> => {
  const { dice } = world;
  const { router } = cluster;
  const ahead = dice.between(0, AHEAD_MS);
  const clock = { ...options.clock, now: () => options.clock.now() + ahead };
  while (isAlive()) {
    await world.pause(dice.between(500, 8_000));
    const shards = new Map(organizations.map((id) => [router.shardOf(id), id]));
    for (const [shardId, organizationId] of shards) {
      try {
        const owner = router.ownerOf(organizationId);
        for (const resolution of ["HOUR", "DAY"] as const) {
          await rollUpShard({ ...options, clock }, shardId, owner, resolution, dice.between(1, 4));
        }
      } catch {
        // It is another server's by now, or the database failed: the next round begins again.
      }
    }
  }
};

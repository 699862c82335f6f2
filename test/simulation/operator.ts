import { shardOf } from "../../src/cluster/shard-of.ts";
import { SERVER } from "../../src/jobs/audit.ts";
import { SCRIPT, type OrganizationId } from "../../src/jobs/ids.ts";
import type { STANDARD_LIMITS, Store } from "../../src/store/store.ts";
import type { LimitsLedger } from "./limits-ledger.ts";
import type { SimulatedServer } from "./servers.ts";
import type { World } from "./world.ts";

export const ORGANIZATIONS = ["alpha", "beta", "gamma"] as OrganizationId[];

/** Types that simulated jobs are of. */
export const TYPES = ["mail", "print"];
/** While the storm lasts its attempts nearly always crash. */
export const CRASHING = "print";

type Scene = {
  readonly world: World;
  readonly store: Store;
  readonly servers: readonly SimulatedServer[];
  readonly limits: LimitsLedger;
};

/** An operator who changes limits and weights while jobs run, and tells every server. */
export const changeLimits = async (
  { world, store, servers, limits }: Scene,
  organizations: readonly OrganizationId[],
  until: number,
): Promise<void> => {
  const { dice } = world;

  const tell = async (server: SimulatedServer, id: OrganizationId): Promise<void> => {
    for (;;) {
      try {
        await server.call(async (cluster) => {
          await cluster.refresh([id]);
        });
        return;
      } catch {
        await world.pause(dice.between(50, 500));
      }
    }
  };

  const change = async (id: OrganizationId): Promise<void> => {
    const limit = dice.pick([1, 1, 2, 5]);
    if (dice.chance(0.5)) {
      const type = dice.pick(TYPES);
      const key = `${id}/${type}`;
      limits.announce(key, limit);
      await world.real(async () => {
        await putType(store, world, id, { name: type, maxRunning: limit });
      });
      for (const server of servers) await tell(server, id);
      limits.settle(key, limit);
    } else {
      limits.announce(id, limit);
      await world.real(async () => {
        const found = await store.identity.findOrganization(id);
        if (found === null) throw new Error(`there is no organization ${id}`);
        const weight = dice.between(1, 5);
        await store.identity.updateOrganization({ ...found, maxRunning: limit, weight });
      });
      for (const server of servers) await tell(server, id);
      limits.settle(id, limit);
    }
    world.note(`limits of ${id} have changed`);
  };

  while (world.now < until) {
    await world.pause(dice.between(200, 6_000));
    await change(dice.pick(organizations));
  }
};

const putType = async (
  store: Store,
  world: World,
  organizationId: OrganizationId,
  { name, maxRunning }: { readonly name: string; readonly maxRunning: number | null },
): Promise<void> => {
  const [createdAt, changedAt] = [world.now, world.now];
  const isNew = (await store.catalog.find(organizationId, name)) === null;
  const written = await store.catalog.put(
    shardOf(organizationId, (await store.shards.list()).length),
    {
      type: { organizationId, name, version: 1, enabled: true, maxRunning, createdAt, changedAt },
      version: isNew
        ? {
            organizationId,
            name,
            version: 1,
            fingerprint: name,
            description: "",
            capability: SCRIPT,
            scriptHash: "",
            inputSchema: null,
            defaults: "{}",
            createdBy: "",
            createdAt,
          }
        : null,
      script: null,
      audit: {
        organizationId,
        id: world.uuid(),
        at: createdAt,
        actor: SERVER,
        action: "type.put",
        subject: name,
        details: null,
      },
    },
  );
  if (!written) throw new Error(`the type ${name} could not be written`);
};

export const addOrganizations = async (
  store: Store,
  world: World,
  organizations: readonly OrganizationId[],
  limitsOf: (id: OrganizationId) => typeof STANDARD_LIMITS,
): Promise<void> => {
  for (const id of organizations) {
    const row = { id, name: id, ...limitsOf(id), createdAt: world.now };
    await store.identity.insertOrganization(row);
    for (const name of TYPES) await putType(store, world, id, { name, maxRunning: null });
  }
};

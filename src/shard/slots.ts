import type { Capability, RunnerId } from "../jobs/ids.ts";
import type { ShardId } from "../store/store.ts";

/** What a shard's scheduler sees of the slots. */
export type SlotSource = {
  /** Capabilities for which this shard may take a slot now. */
  capabilities(): Capability[];
  /** A slot with this capability, taken; null when this shard's share is used up. */
  take(capability: Capability): RunnerId | null;
  /** The same for a job that another one waits for: also a slot that was left for such jobs. */
  takeKept(capability: Capability): RunnerId | null;
  /** All that a slot of that runner could have been used for. */
  abilitiesOf(id: RunnerId): readonly Capability[];
};

/** What attempts do with slots: how many are in use, were left to wait, and are used by jobs that are waited for. */
type Uses = { used: number; left: number; awaited: number };

type RunnerSlots = Uses & {
  readonly id: RunnerId;
  capabilities: readonly Capability[];
  slots: number;
  readonly byShard: Map<ShardId, Uses>;
};

const NO_USES: Uses = { used: 0, left: 0, awaited: 0 };

/** Slots that no attempt uses and that are kept for nobody. */
const freeOf = ({ slots, used, left, awaited }: RunnerSlots): number =>
  Math.max(0, slots - used - Math.max(0, left - awaited));

/** Nothing is to be remembered of it. */
const isIdle = ({ slots, used, left, awaited }: RunnerSlots): boolean =>
  slots === 0 && used === 0 && left === 0 && awaited === 0;

/**
 * The slots of all runners of this server, and who uses them. Shards that wait for a slot stand in
 * a line for each capability. What they use and what is free is divided among them by the weight of
 * the organizations that wait in them (max-min fair); what does not divide goes to those who have
 * waited longest. So a shard with a long backlog,
 * which frees and takes slots all the time, does not keep another from its share.
 */
export class Slots {
  readonly #runners = new Map<RunnerId, RunnerSlots>();
  /** Runners with a free slot, in the order of their turns. */
  readonly #available = new Map<Capability, Set<RunnerSlots>>();
  readonly #free = new Map<Capability, number>();
  /** Slots in use, by shard. */
  readonly #used = new Map<ShardId, number>();
  /** Who waits, the longest first, with the weight of its organizations that wait. */
  readonly #hungry = new Map<Capability, Map<ShardId, number>>();

  /** A runner says what it can do, and how much at once. */
  announce(id: RunnerId, capabilities: readonly Capability[], slots: number): void {
    const runner = this.#runner(id);
    this.#update(runner, () => {
      runner.capabilities = [...new Set(capabilities)];
      runner.slots = slots;
    });
  }

  withdraw(id: RunnerId): void {
    const runner = this.#runners.get(id);
    if (runner === undefined) return;
    this.#update(runner, () => {
      runner.slots = 0;
    });
  }

  /** An attempt of this shard runs there, or has ended there. */
  use(shardId: ShardId, id: RunnerId, change: 1 | -1): void {
    this.#note(shardId, id, "used", change);
    this.#used.set(shardId, (this.#used.get(shardId) ?? 0) + change);
  }

  /** An attempt of this shard leaves its slot there while it waits for others, or takes it back. */
  leave(shardId: ShardId, id: RunnerId, change: 1 | -1): void {
    this.use(shardId, id, change === 1 ? -1 : 1);
    this.#note(shardId, id, "left", change);
  }

  /** A job of this shard that runs there is waited for, or not any more. */
  await(shardId: ShardId, id: RunnerId, change: 1 | -1): void {
    this.#note(shardId, id, "awaited", change);
  }

  #note(shardId: ShardId, id: RunnerId, what: keyof Uses, change: 1 | -1): void {
    const runner = this.#runner(id);
    this.#update(runner, () => {
      const own = runner.byShard.get(shardId) ?? NO_USES;
      runner[what] += change;
      runner.byShard.set(shardId, { ...own, [what]: own[what] + change });
    });
  }

  /** Forgets all that a shard uses: it is being reloaded, or has gone to another server. */
  forget(shardId: ShardId): void {
    for (const runner of this.#runners.values()) {
      const uses = runner.byShard.get(shardId);
      if (uses === undefined) continue;
      this.#update(runner, () => {
        runner.used -= uses.used;
        runner.left -= uses.left;
        runner.awaited -= uses.awaited;
        runner.byShard.delete(shardId);
      });
    }
    this.#used.delete(shardId);
    for (const line of this.#hungry.values()) line.delete(shardId);
  }

  /** What this shard may take now. Computed once for each turn. */
  sourceFor(shardId: ShardId): SlotSource {
    const shares = new Map<Capability, number>();
    const shareOf = (capability: Capability): number => {
      const known = shares.get(capability);
      if (known !== undefined) return known;
      const share = this.#share(shardId, capability);
      shares.set(capability, share);
      return share;
    };
    return {
      capabilities: () => [...this.#free.keys()].filter((capability) => shareOf(capability) > 0),
      take: (capability) => {
        const share = shareOf(capability);
        const runner = share > 0 ? this.#rotate(capability) : undefined;
        if (runner === undefined) return null;
        shares.set(capability, share - 1);
        // Whoever got something goes to the end of the line.
        this.#hungry.get(capability)?.delete(shardId);
        this.use(shardId, runner.id, 1);
        return runner.id;
      },
      takeKept: (capability) => {
        for (const runner of this.#runners.values()) {
          if (runner.slots <= runner.used || !runner.capabilities.includes(capability)) continue;
          this.use(shardId, runner.id, 1);
          return runner.id;
        }
        return null;
      },
      abilitiesOf: (id) => this.#runners.get(id)?.capabilities ?? [],
    };
  }

  /** After a turn: for which capabilities this shard still has work that waits, of what weight. */
  wait(shardId: ShardId, capabilities: ReadonlyMap<Capability, number>): void {
    for (const [capability, line] of this.#hungry) {
      if (!capabilities.has(capability)) line.delete(shardId);
    }
    for (const [capability, weight] of capabilities) {
      const line = this.#hungry.get(capability);
      if (line === undefined) this.#hungry.set(capability, new Map([[shardId, weight]]));
      else line.set(shardId, weight);
    }
  }

  /** Shards in line that may take a slot now. There is one whenever somebody waits and a slot is free. */
  servable(): Set<ShardId> {
    const shards = new Set<ShardId>();
    for (const [capability, line] of this.#hungry) {
      if (this.free(capability) === 0) continue;
      for (const shardId of line.keys()) {
        if (this.#share(shardId, capability) > 0) shards.add(shardId);
      }
    }
    return shards;
  }

  /** Slots of this runner that are in use. */
  usedBy(id: RunnerId): number {
    return this.#runners.get(id)?.used ?? 0;
  }

  /** Free slots with this capability. */
  free(capability: Capability): number {
    return this.#free.get(capability) ?? 0;
  }

  #share(shardId: ShardId, capability: Capability): number {
    const free = this.free(capability);
    if (free === 0) return 0;
    const line = this.#hungry.get(capability);
    // One that has not waited yet counts as the lightest until its turn tells more.
    const sharers: (readonly [ShardId, number])[] = [...(line ?? [])];
    if (line?.has(shardId) !== true) sharers.push([shardId, 1]);
    let [slots, weights] = [free, 0];
    for (const [id, weight] of sharers) {
      slots += this.#used.get(id) ?? 0;
      weights += weight;
    }
    // Rounded so that all shares together are all slots, and the first in line gain by it.
    let before = 0;
    for (const [id, weight] of sharers) {
      const until = before + weight;
      if (id === shardId) {
        const fair = Math.ceil((slots * until) / weights) - Math.ceil((slots * before) / weights);
        return Math.max(0, Math.min(free, fair - (this.#used.get(id) ?? 0)));
      }
      before = until;
    }
    return 0;
  }

  #rotate(capability: Capability): RunnerSlots | undefined {
    const line = this.#available.get(capability);
    const [runner] = line ?? [];
    if (runner !== undefined) {
      line?.delete(runner);
      line?.add(runner);
    }
    return runner;
  }

  #runner(id: RunnerId): RunnerSlots {
    const known = this.#runners.get(id);
    if (known !== undefined) return known;
    const runner: RunnerSlots = {
      id,
      capabilities: [],
      slots: 0,
      ...NO_USES,
      byShard: new Map(),
    };
    this.#runners.set(id, runner);
    return runner;
  }

  #update(runner: RunnerSlots, change: () => void): void {
    this.#count(runner, -1);
    change();
    this.#count(runner, 1);
    if (isIdle(runner)) this.#runners.delete(runner.id);
  }

  #count(runner: RunnerSlots, sign: 1 | -1): void {
    const free = freeOf(runner);
    if (free === 0) return;
    for (const capability of runner.capabilities) {
      const total = this.free(capability) + sign * free;
      if (total === 0) this.#free.delete(capability);
      else this.#free.set(capability, total);
      this.#list(runner, capability, sign);
    }
  }

  #list(runner: RunnerSlots, capability: Capability, sign: 1 | -1): void {
    const line = this.#available.get(capability);
    if (sign === -1) {
      line?.delete(runner);
      if (line?.size === 0) this.#available.delete(capability);
    } else if (line === undefined) {
      this.#available.set(capability, new Set([runner]));
    } else {
      line.add(runner);
    }
  }
}

import type { JobId, OrganizationId } from "../../src/jobs/ids.ts";
import type { JobRow } from "../../src/jobs/job.ts";
import { hasEnded } from "../../src/jobs/states.ts";
import type { Commit, Subscription } from "../../src/shard/owner.ts";
import type { JobFilter, Place, Store } from "../../src/store/store.ts";
import { Broken, broken, faultOf } from "./broken.ts";
import type { Ledger } from "./ledger.ts";
import type { Connection, SimulatedServer } from "./servers.ts";
import type { World } from "./world.ts";

const EVERYTHING: JobFilter = {
  states: [],
  type: null,
  labels: {},
  creatorId: null,
  createdAfter: null,
  createdBefore: null,
  workflowId: null,
  visibleTo: null,
};

const PAGE = 20;

/**
 * Watches all jobs of an organization as the API does: subscribe, read what changed since the last
 * revision, then take live commits and skip what was read. Some are slow, and every one loses its
 * server now and then.
 */
export class SimulatedWatcher {
  readonly jobs = new Map<JobId, JobRow>();
  readonly output = new Map<JobId, number>();
  readonly #world: World;
  readonly #ledger: Ledger;
  readonly #store: Store;
  readonly #servers: readonly SimulatedServer[];
  readonly #place: Place;
  readonly #slowness: () => number;
  #revision = 0;

  constructor(options: {
    readonly world: World;
    readonly ledger: Ledger;
    readonly store: Store;
    readonly servers: readonly SimulatedServer[];
    readonly organizationId: OrganizationId;
    readonly shardId: number;
    /** The longest pause between two items, in milliseconds. */
    readonly slowness: () => number;
  }) {
    this.#world = options.world;
    this.#ledger = options.ledger;
    this.#store = options.store;
    this.#servers = options.servers;
    this.#place = { organizationId: options.organizationId, shardId: options.shardId };
    this.#slowness = options.slowness;
  }

  async watch(): Promise<void> {
    for (;;) {
      try {
        await this.#session(this.#world.dice.pick(this.#servers));
      } catch (error) {
        if (error instanceof Broken) this.#ledger.fault ??= error;
        await this.#world.pause(this.#world.dice.between(20, 300));
      }
    }
  }

  async #session(server: SimulatedServer): Promise<void> {
    const { organizationId } = this.#place;
    const connection = server.connect();
    const subscription = await connection(async (cluster) =>
      cluster.router.ownerOf(organizationId).feed.watchOrganization(organizationId),
    );
    await this.#catchUp();
    await this.#follow(connection, subscription);
  }

  async #follow(connection: Connection, subscription: Subscription): Promise<void> {
    const { signal } = new AbortController();
    for (;;) {
      const item = await connection(async () => await subscription.next(signal));
      if (item.kind === "closed") return;
      if (item.kind === "behind") await this.#catchUp();
      else this.#take(item.commit);
      await this.#world.pause(this.#world.dice.between(0, this.#slowness()));
    }
  }

  #take({ revision, jobs, output }: Commit): void {
    if (revision <= this.#revision) return;
    for (const row of jobs) this.#see(row);
    for (const row of output) {
      const count = this.output.get(row.jobId) ?? 0;
      if (row.seq > count) broken("a watcher misses nothing", row);
      if (row.seq === count) this.output.set(row.jobId, count + 1);
    }
    this.#revision = revision;
  }

  /** Pages through everything changed since; the last revision may be seen in parts. */
  async #catchUp(): Promise<void> {
    const { jobs } = this.#store;
    let after: { revision: number; id: JobId | "" } = { revision: this.#revision, id: "" };
    // Changes above this revision are in the feed already.
    const { current, compacted } = await this.#world.real(
      async () => await jobs.revision(this.#place.shardId),
    );
    // RESUME_TOKEN_EXPIRED: what was removed since cannot be told. Begins anew, with a snapshot.
    if (this.#revision > 0 && this.#revision <= compacted) {
      this.jobs.clear();
      this.output.clear();
      after = { revision: 0, id: "" };
      this.#revision = 0;
    }
    for (;;) {
      const page = await this.#world.real(
        async () => await jobs.changedSince(this.#place, EVERYTHING, after, PAGE),
      );
      for (const row of page) {
        this.#see(row);
        await this.#readOutput(row);
      }
      const last = page.at(-1);
      if (last === undefined || page.length < PAGE) break;
      after = { revision: last.revision, id: last.id };
      await this.#world.pause(this.#world.dice.between(0, 5));
    }
    this.#revision = Math.max(this.#revision, current);
  }

  async #readOutput(row: JobRow): Promise<void> {
    const count = this.output.get(row.id) ?? 0;
    if (row.outputCount <= count) return;
    const rows = await this.#world.real(
      async () => await this.#store.jobs.output(this.#place, row.id, count, 1_000),
    );
    if (rows[0]?.seq !== count) broken("output has no gaps", { id: row.id, count });
    this.output.set(row.id, count + rows.length);
  }

  #see(row: JobRow): void {
    const before = this.jobs.get(row.id);
    if (before !== undefined && before.revision > row.revision) return;
    if (!this.#ledger.versions.has(`${row.id}/${row.revision}`)) {
      broken("only what is durable is shown", { id: row.id, revision: row.revision });
    }
    this.jobs.set(row.id, row);
  }

  /** What this watcher should have seen by now, and has not. */
  differences(): string[] {
    const faults: string[] = [];
    for (const row of this.#ledger.jobs.values()) {
      if (row.organizationId !== this.#place.organizationId) continue;
      const seen = this.jobs.get(row.id);
      if (seen?.revision !== row.revision) {
        faults.push(
          faultOf("a watcher misses nothing", {
            id: row.id,
            seen: seen?.revision,
            is: row.revision,
          }),
        );
      }
      const lines = this.output.get(row.id) ?? 0;
      if (lines !== row.outputCount) {
        const { id, outputCount } = row;
        faults.push(faultOf("a watcher misses nothing", { id, lines, outputCount }));
      }
    }
    for (const row of this.jobs.values()) {
      if (this.#ledger.retention.purged.has(row.id) && !hasEnded(row.state)) {
        faults.push(
          faultOf("a watcher misses nothing", { id: row.id, removed: true, seen: row.state }),
        );
      }
    }
    return faults;
  }
}

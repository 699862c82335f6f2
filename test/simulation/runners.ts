import { JobFault } from "../../src/jobs/errors.ts";
import { readSteps } from "../../src/api/internal/steps.ts";
import { shardOf } from "../../src/cluster/shard-of.ts";
import type { OrganizationId, RunnerId } from "../../src/jobs/ids.ts";
import type { Assignment, AttemptRef, AttemptReport, Ending } from "../../src/jobs/report.ts";
import type { SimulatedChildren } from "./children.ts";
import { CRASHING } from "./operator.ts";
import type { Ledger } from "./ledger.ts";
import type { SimulatedServer } from "./servers.ts";
import type { SyncAnswer } from "../../src/shard/owner.ts";
import { Broken } from "./broken.ts";
import type { ShardId } from "../../src/store/store.ts";
import { SHORT } from "./random-job.ts";
import { missingSteps } from "./step-ledger.ts";
import type { World } from "./world.ts";

type Held = {
  readonly assignment: Assignment;
  readonly server: SimulatedServer;
  cancelled: boolean;
  forgotten: boolean;
  /** For all that waits in it. */
  readonly over: AbortController;
};

/** An ending that a server acknowledged. */
export type Acknowledged = { readonly ref: AttemptRef; readonly ending: Ending };

const nameOf = (ref: AttemptRef): string => `${ref.jobId}/${ref.attempt}/${ref.leaseToken}`;

/**
 * A runner as the contract wants it: one Sync loop per server, repeats its reports until they are
 * acknowledged, forgets what it is told to forget. It may die at any moment, and another one with
 * a new id takes its place.
 */
export class SimulatedRunner {
  readonly id: RunnerId;
  readonly #world: World;
  readonly #ledger: Ledger;
  readonly #servers: readonly SimulatedServer[];
  readonly #slots: number;
  readonly #shardOf: (organizationId: OrganizationId) => ShardId;
  readonly #held = new Map<string, Held>();
  readonly acknowledged: Acknowledged[];
  readonly #children: SimulatedChildren;
  readonly #isStormy: () => boolean;
  #alive = true;
  #frozenUntil = 0;

  constructor(options: {
    readonly world: World;
    readonly ledger: Ledger;
    readonly servers: readonly SimulatedServer[];
    readonly slots: number;
    readonly shards: number;
    readonly acknowledged: Acknowledged[];
    readonly children: SimulatedChildren;
    readonly isStormy: () => boolean;
  }) {
    this.#world = options.world;
    this.#ledger = options.ledger;
    this.#servers = options.servers;
    this.#slots = options.slots;
    this.#shardOf = (organizationId) => shardOf(organizationId, options.shards);
    this.acknowledged = options.acknowledged;
    this.#children = options.children;
    this.#isStormy = options.isStormy;
    this.id = options.world.uuid() as RunnerId;
    this.#ledger.limits.offer(this.id, this.#slots);
  }

  start(): void {
    for (const server of this.#servers) void this.#syncLoop(server);
  }

  die(): void {
    this.#world.note(`runner ${this.id.slice(-4)} dies`);
    this.#alive = false;
    for (const { over } of this.#held.values()) over.abort();
  }

  /** Everything of it stops for a while, and goes on as if nothing had happened. */
  freeze(ms: number): void {
    this.#world.note(`runner ${this.id.slice(-4)} freezes for ${ms} ms`);
    this.#frozenUntil = this.#world.now + ms;
  }

  async #pause(ms: number): Promise<void> {
    await this.#world.pause(ms);
    while (this.#world.now < this.#frozenUntil) {
      await this.#world.pause(this.#frozenUntil - this.#world.now);
    }
  }

  async #syncLoop(server: SimulatedServer): Promise<void> {
    while (this.#alive) {
      try {
        await this.#sync(server);
      } catch {
        await this.#pause(this.#world.dice.between(100, 500));
      }
    }
  }

  /** One call: its answers until it ends, or its connection breaks, of which the server hears later. */
  async #sync(server: SimulatedServer): Promise<void> {
    const world = this.#world;
    const connection = server.connect();
    const stop = new AbortController();
    const request = {
      runnerId: this.id,
      displayName: "simulated",
      capabilities: ["script"],
      slots: this.#slots,
      attempts: [...this.#held.values()].map(({ assignment }) => assignment.ref),
      immediate: false,
    };
    try {
      let answers: AsyncIterator<SyncAnswer> | null = null;
      for (;;) {
        const next = await connection(async ({ hub }) => {
          answers ??= hub.sync(request, stop.signal)[Symbol.asyncIterator]();
          return await answers.next();
        });
        await this.#pause(0);
        if (!this.#alive || next.done === true) return;
        for (const assignment of next.value.assignments) void this.#execute(server, assignment);
        for (const ref of next.value.cancellations) {
          const held = this.#held.get(nameOf(ref));
          if (held !== undefined) this.#cancel(held);
        }
        for (const ref of next.value.lost) this.#forget(ref);
      }
    } finally {
      world.at(world.dice.between(0, 5_000), () => {
        stop.abort();
      });
    }
  }

  async #execute(server: SimulatedServer, assignment: Assignment): Promise<void> {
    const { dice } = this.#world;
    const { ref, attemptTimeoutMs } = assignment;
    const name = nameOf(ref);
    if (!this.#ledger.leases.has(name)) {
      this.#ledger.fault ??= new Broken("nothing starts before it is durable", { name });
    }
    try {
      this.#ledger.workflows.checkInput(name, assignment.input);
    } catch (error) {
      this.#ledger.fault ??= error as Error;
    }
    const over = new AbortController();
    const held: Held = { assignment, server, cancelled: false, forgotten: false, over };
    this.#held.set(name, held);
    const isShort = attemptTimeoutMs <= SHORT;
    // Work that hangs, on a runner that does not stop it: the server has to.
    if (isShort && dice.chance(0.3)) return;
    // Work that ends when its time does: a little before or after.
    const endsAt =
      isShort && dice.chance(0.5) ? this.#world.now + attemptTimeoutMs + dice.between(-50, 50) : 0;
    if (isShort) this.#world.at(attemptTimeoutMs, () => over.abort());
    let seq = 0;
    const steps = dice.between(0, 3);
    const ended = await this.#endedSteps(held);
    if (!this.#alive || held.forgotten) return;
    const lacksChild = await this.#children.work({
      ref,
      over: over.signal,
      pause: async (ms) => {
        await this.#pause(ms);
      },
      forget: () => {
        this.#forget(ref);
      },
    });
    if (!this.#alive || held.forgotten) return;
    for (let step = 1; step <= steps; step += 1) {
      await this.#pause(dice.between(1, 400));
      if (!this.#alive || held.forgotten) return;
      if (held.cancelled) break;
      const lines = dice.between(0, 2);
      const report: AttemptReport = {
        ref,
        seq: (seq += 1),
        progress: {
          fraction: step / (steps + 1),
          message: `${step}`,
          currentStep: step,
          totalSteps: steps,
        },
        output: Array.from({ length: lines }, (_, line) => ({
          stream: "STDOUT" as const,
          text: `${name} ${seq}.${line}`,
        })),
        steps: ended.has(`${step}`) ? [] : [{ name: `${step}`, result: JSON.stringify(name) }],
        ending: null,
      };
      await this.#report(held, report);
      if (held.forgotten || !this.#alive) return;
      // Retention may have taken the job meanwhile.
      if (!this.#ledger.jobs.has(ref.jobId)) return;
      for (const result of report.steps) this.#ledger.steps.acknowledge(ref.jobId, result);
    }
    await this.#pause(Math.max(dice.between(0, 100), endsAt - this.#world.now));
    if (!this.#alive || held.forgotten) return;
    over.abort();
    const ending = this.#ending(held, lacksChild);
    await this.#report(held, { ref, seq: seq + 1, progress: null, output: [], steps: [], ending });
    if (this.#alive && !held.forgotten) {
      this.acknowledged.push({ ref, ending });
      this.#held.delete(name);
    }
  }

  /** Names of the steps that earlier attempts finished; a runner that has not heard asks again. */
  async #endedSteps(held: Held): Promise<ReadonlySet<string>> {
    const { ref } = held.assignment;
    if (ref.attempt === 1) return new Set();
    const { organizationId, jobId } = ref;
    const wanted = this.#ledger.steps.acknowledged(jobId);
    while (this.#alive && !held.forgotten) {
      const server = this.#world.dice.pick(this.#servers);
      try {
        const found = await server.read(async (store) => {
          const place = { organizationId, shardId: this.#shardOf(organizationId) };
          return await readSteps(store.jobs, place, ref);
        });
        const lost = missingSteps(wanted, found);
        if (lost.length > 0) {
          this.#ledger.fault ??= new Broken("a step that ended is not run again", { jobId, lost });
        }
        return new Set(found.map(({ name }) => name));
      } catch (caught) {
        if (caught instanceof JobFault && caught.reason === "LEASE_LOST") this.#forget(ref);
        else await this.#pause(this.#world.dice.between(50, 300));
      }
    }
    return new Set();
  }

  #ending({ cancelled, assignment }: Held, lacksChild: boolean): Ending {
    const usage = { cpuMs: 1, peakMemoryBytes: 1 };
    const { dice } = this.#world;
    // Some work ends on its own while it is being cancelled.
    if (cancelled && dice.chance(0.6)) return { kind: "cancelled", ...usage };
    if (assignment.type === CRASHING && this.#isStormy() && dice.chance(0.9)) {
      const error = { code: "runner.crashed", message: "", stack: "", retryable: true };
      return { kind: "failed", error, ...usage };
    }
    if (dice.chance(lacksChild ? 0.6 : 0.25)) {
      const error = { code: "script.threw", message: "", stack: "", retryable: dice.chance(0.6) };
      return { kind: "failed", error, ...usage };
    }
    return { kind: "succeeded", result: JSON.stringify(nameOf(assignment.ref)), ...usage };
  }

  /** Until it is acknowledged, by whichever server owns the shard by then. */
  async #report(held: Held, report: AttemptReport): Promise<void> {
    const { dice } = this.#world;
    let { server } = held;
    while (this.#alive && !held.forgotten) {
      await this.#pause(0);
      try {
        const [outcome] = await server.call(
          async (cluster) =>
            await cluster.router.ownerOf(report.ref.organizationId).report([report]),
        );
        if (outcome instanceof JobFault) {
          if (outcome.reason === "LEASE_LOST") this.#forget(report.ref);
          return;
        }
        if (outcome?.cancelRequested === true) this.#cancel(held);
        // Now and then a report is sent twice, as a network may do.
        if (!dice.chance(0.1)) return;
      } catch {
        server = dice.pick(this.#servers);
        await this.#pause(dice.between(50, 300));
      }
    }
  }

  #cancel(held: Held): void {
    held.cancelled = true;
    held.over.abort();
  }

  #forget(ref: AttemptRef): void {
    const held = this.#held.get(nameOf(ref));
    if (held !== undefined) held.forgotten = true;
    held?.over.abort();
    this.#held.delete(nameOf(ref));
  }
}

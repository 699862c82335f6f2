import { childRequest } from "../../src/api/internal/child-request.ts";
import { findAttempt } from "../../src/api/internal/steps.ts";
import { shardOf } from "../../src/cluster/shard-of.ts";
import { JobState as WireState } from "../../src/gen/millrace/v1/job_pb.ts";
import { SERVER } from "../../src/jobs/audit.ts";
import { JobFault } from "../../src/jobs/errors.ts";
import type { JobId } from "../../src/jobs/ids.ts";
import { LIMITS } from "../../src/jobs/limits.ts";
import type { JobRow } from "../../src/jobs/job.ts";
import type { AttemptRef } from "../../src/jobs/report.ts";
import type { SubmitOutcome } from "../../src/shard/owner.ts";
import { broken } from "./broken.ts";
import type { Acknowledgements } from "./clients.ts";
import type { Ledger } from "./ledger.ts";
import { asRequested, randomJob } from "./random-job.ts";
import type { SimulatedServer } from "./servers.ts";
import type { World } from "./world.ts";

/** As a runner asks: after so long it asks again. */
const WAIT_MS = 20_000;

/** The families of one history: what they look like, and how many children may still be born. */
export type FamilyPlan = { readonly shape: "line" | "bush"; left: number };

export const randomFamilies = ({ dice }: World): FamilyPlan =>
  dice.pick<FamilyPlan>([
    { shape: "bush", left: 0 },
    { shape: "bush", left: 10 },
    { shape: "line", left: 10 },
  ]);

/** An attempt, as its children see it. */
export type Parent = {
  readonly ref: AttemptRef;
  /** Aborts when it is cancelled, taken away, out of time or at its end, or its runner has died. */
  readonly over: AbortSignal;
  pause(ms: number): Promise<void>;
  /** It is no longer this runner's. */
  forget(): void;
};

/** What attempts do with jobs of their own: submit some under names, and wait for them. */
export class SimulatedChildren {
  readonly #world: World;
  readonly #ledger: Ledger;
  readonly #servers: readonly SimulatedServer[];
  readonly #shards: number;
  readonly #told: Acknowledgements;
  readonly #plan: FamilyPlan;

  constructor(options: {
    readonly world: World;
    readonly ledger: Ledger;
    readonly servers: readonly SimulatedServer[];
    readonly shards: number;
    readonly told: Acknowledgements;
    readonly plan: FamilyPlan;
  }) {
    this.#world = options.world;
    this.#ledger = options.ledger;
    this.#servers = options.servers;
    this.#shards = options.shards;
    this.#told = options.told;
    this.#plan = options.plan;
  }

  /** True if a child that it waited for did not succeed. */
  async work(parent: Parent): Promise<boolean> {
    const { dice } = this.#world;
    const children = new Set<JobId>();
    for (const name of this.#names(parent.ref)) {
      const child = await this.#submit(parent, name);
      if (child !== null) children.add(child);
      await parent.pause(dice.between(0, 50));
    }
    const waits: Promise<boolean>[] = [];
    const inTurn = dice.chance(0.4);
    for (const child of children) {
      if (this.#plan.shape === "bush" && dice.chance(0.2)) continue;
      const wait = this.#wait(parent, child);
      waits.push(wait);
      if (inTurn) await wait;
      if (dice.chance(0.15)) this.#meddle(parent.ref, dice.pick([parent.ref.jobId, child]));
    }
    if (waits.length === 0) return false;
    // Whoever is in a hurry goes on with the first, and ends while the others are waited for.
    if (dice.chance(0.2)) return await Promise.race(waits);
    return (await Promise.all(waits)).includes(true);
  }

  /** Later attempts use names of earlier ones, and others. */
  #names({ jobId, attempt }: AttemptRef): readonly string[] {
    const { dice } = this.#world;
    const { shape, left } = this.#plan;
    const row = this.#ledger.jobs.get(jobId);
    const isChild = row?.parentId !== "";
    const isParent = (row?.childCount ?? 0) > 0;
    if (!isParent && (left === 0 || !dice.chance(isChild ? 0.4 : 0.3))) {
      if (shape === "bush" || !isChild || left === 0) return [];
    }
    if (shape === "line") return ["1"];
    const names = Array.from({ length: dice.between(1, 3) }, () => `${dice.between(1, 3)}`);
    return attempt > 1 ? [...names, "1"] : names;
  }

  /** Until somebody answers; null if it was refused. */
  async #submit(parent: Parent, name: string): Promise<JobId | null> {
    const { ref } = parent;
    const { organizationId, jobId } = ref;
    const shardId = shardOf(organizationId, this.#shards);
    while (!parent.over.aborted) {
      const server = this.#world.dice.pick(this.#servers);
      const submission = this.#submission(ref, name);
      try {
        await server.read(
          async (store) => await findAttempt(store.jobs, { organizationId, shardId }, ref),
        );
        const [outcome] = await server.call(
          async ({ router }) => await router.ownerOf(organizationId).submit([submission]),
        );
        const child = this.#taken(ref, outcome);
        if (child === null || submission.request === null) return null;
        const { requestId } = submission.request;
        this.#check(() => this.#ledger.families.named({ parentId: jobId, requestId }, child));
        return child;
      } catch (caught) {
        if (caught instanceof JobFault && caught.reason === "LEASE_LOST") parent.forget();
        else await parent.pause(this.#world.dice.between(50, 500));
      }
    }
    return null;
  }

  #taken({ jobId }: AttemptRef, outcome: SubmitOutcome | undefined): JobId | null {
    if (outcome === undefined) return null;
    if (!(outcome instanceof JobFault)) {
      if (outcome.created) this.#plan.left = Math.max(0, this.#plan.left - 1);
      return outcome.job.id;
    }
    const depth = this.#ledger.jobs.get(jobId)?.depth ?? LIMITS.childDepth;
    if (outcome.reason === "CHILD_TOO_DEEP" && depth < LIMITS.childDepth) {
      this.#check(() => broken("children are counted, and bounded", { jobId, depth }));
    }
    return null;
  }

  /** A child takes no key that comes before one of those above it: those would wait for each other. */
  #submission(ref: AttemptRef, name: string): ReturnType<typeof asRequested> {
    const world = this.#world;
    const job = randomJob(world, ref.organizationId, false);
    let highest = "";
    let above = this.#ledger.jobs.get(ref.jobId);
    while (above !== undefined) {
      if (above.concurrencyKey > highest) highest = above.concurrencyKey;
      above = this.#ledger.jobs.get(above.parentId);
    }
    const concurrencyKey = job.concurrencyKey < highest ? "" : job.concurrencyKey;
    const request = { ...childRequest(ref.jobId, name), createdAt: world.now };
    return asRequested({ ...job, concurrencyKey, parentId: ref.jobId }, request);
  }

  /** Until it has ended, or cannot be waited for. True if it did not succeed. */
  async #wait(parent: Parent, child: JobId): Promise<boolean> {
    const { dice } = this.#world;
    const isOver = new Promise<null>((resolve) => {
      parent.over.addEventListener("abort", () => resolve(null));
    });
    while (!parent.over.aborted) {
      const call = new AbortController();
      try {
        const server = dice.pick(this.#servers);
        const waiting = server.awaitChild(parent.ref, child, WAIT_MS, call.signal);
        const answer = await Promise.race([waiting, isOver]);
        await parent.pause(0);
        if (parent.over.aborted || answer === null) break;
        const state = ENDED.get(answer.job?.state ?? WireState.UNSPECIFIED);
        if (state === undefined) continue;
        const told = { id: child, state };
        const { attempts, families } = this.#ledger;
        this.#check(() => families.answered(told, answer.resultJson ?? "", attempts));
        return state !== "SUCCEEDED";
      } catch (caught) {
        if (!(caught instanceof JobFault)) await parent.pause(dice.between(50, 500));
        else if (caught.reason === "LEASE_LOST") parent.forget();
        else if (caught.reason === "SHARD_UNAVAILABLE") await parent.pause(dice.between(50, 500));
        else return true;
      } finally {
        // The server hears later that its caller has gone.
        this.#world.at(dice.between(0, 3_000), () => {
          call.abort();
        });
      }
    }
    return true;
  }

  /** Somebody who cancels it, or gives it another attempt. */
  #meddle({ organizationId }: AttemptRef, id: JobId): void {
    const { dice } = this.#world;
    const cancels = dice.chance(0.6);
    const once = async (): Promise<void> => {
      await dice.pick(this.#servers).call(async ({ router }) => {
        const owner = router.ownerOf(organizationId);
        if (!cancels) await owner.retry(organizationId, id, SERVER);
        else await owner.cancel(organizationId, id, { reason: "simulated", by: SERVER });
        if (cancels) this.#told.cancelled.add(id);
      });
    };
    this.#world.at(dice.between(0, 5_000), () => {
      once().catch(() => {});
    });
  }

  #check(work: () => void): void {
    try {
      work();
    } catch (error) {
      this.#ledger.fault ??= error as Error;
    }
  }
}

const ENDED = new Map<WireState, JobRow["state"]>([
  [WireState.SUCCEEDED, "SUCCEEDED"],
  [WireState.FAILED, "FAILED"],
  [WireState.CANCELLED, "CANCELLED"],
]);

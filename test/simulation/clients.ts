import { RELEASE_JOB } from "../../src/jobs/attribute.ts";
import { SERVER } from "../../src/jobs/audit.ts";
import { setAttribute } from "../../src/shard/commands/attributes.ts";
import type { Command } from "../../src/shard/commands/command.ts";
import {
  cancelWorkflow,
  retryWorkflow,
  submitWorkflow,
} from "../../src/shard/commands/workflow.ts";
import { JobFault } from "../../src/jobs/errors.ts";
import type { JobId, OrganizationId, WorkflowId } from "../../src/jobs/ids.ts";
import type { Submission } from "../../src/jobs/submission.ts";
import type { Cluster } from "../../src/cluster/cluster.ts";
import { randomWorkflow } from "./random-graph.ts";
import { APPROVED, asRequested, randomJob } from "./random-job.ts";
import type { SimulatedServer } from "./servers.ts";
import type { World } from "./world.ts";

/** What clients were told, and may rely on from then on. */
export type Acknowledgements = {
  /** Request id to the job that was acknowledged for it. */
  readonly submitted: Map<string, JobId>;
  /** Likewise, to the workflow. */
  readonly workflows: Map<string, WorkflowId>;
  readonly cancelled: Set<JobId>;
  /** Jobs whose operational user's actions are deferred. */
  readonly deferred: Set<JobId>;
  /** Of these, the ones for which a release was sent, answered or not. */
  readonly releasesSent: Set<JobId>;
};

const OVERTAKEN: ReadonlySet<string> = new Set(["WORKFLOW_NOT_FOUND", "JOB_ALREADY_EXISTS"]);

/** A client that submits, cancels and retries, and repeats what it got no answer to. */
export class SimulatedClient {
  readonly #world: World;
  readonly #servers: readonly SimulatedServer[];
  readonly #organizationId: OrganizationId;
  readonly #told: Acknowledgements;

  constructor(options: {
    readonly world: World;
    readonly servers: readonly SimulatedServer[];
    readonly organizationId: OrganizationId;
    readonly told: Acknowledgements;
  }) {
    this.#world = options.world;
    this.#servers = options.servers;
    this.#organizationId = options.organizationId;
    this.#told = options.told;
  }

  /** Resolves when all its jobs are acknowledged, and what it then did with some of them. */
  async work(jobs: number): Promise<void> {
    const { dice } = this.#world;
    const later: Promise<void>[] = [];
    for (let count = 0; count < jobs;) {
      await this.#world.pause(dice.between(0, 600));
      const size = Math.min(jobs - count, dice.between(1, 4));
      count += size;
      const submissions = Array.from({ length: size }, () => this.#submission());
      for (const { job, deferred } of submissions) if (deferred) later.push(this.#release(job.id));
      later.push(this.#submit(submissions));
    }
    await Promise.all(later);
  }

  /** Submits a random graph, and cancels or retries the whole or some of its steps. */
  async flow(steps: number): Promise<void> {
    const { dice, now } = this.#world;
    await this.#world.pause(dice.between(0, 3_000));
    const organizationId = this.#organizationId;
    const id = this.#world.uuid() as WorkflowId;
    const jobs = Array.from({ length: steps }, () => this.#submission());
    const workflow = randomWorkflow({ dice, now, id }, organizationId, jobs);
    const later = jobs.flatMap(({ job, deferred }) => (deferred ? [this.#release(job.id)] : []));
    const outcome = await this.#perform(submitWorkflow(workflow));
    if (outcome instanceof JobFault) {
      // It was taken in, and retention was faster than the answer: all of it, or its jobs are on their way.
      if (!OVERTAKEN.has(outcome.reason)) throw outcome;
    } else {
      this.#told.workflows.set(`request-${id}`, outcome.rows.workflow.id);
    }
    const by = SERVER;
    if (dice.chance(0.15)) {
      await this.#world.pause(dice.between(0, 5_000));
      await this.#perform(cancelWorkflow(organizationId, id, { reason: "simulated", by }));
    }
    if (dice.chance(0.2)) later.push(this.#cancel(dice.pick(jobs).job.id));
    for (let count = dice.between(0, 3); count > 0; count -= 1) {
      if (dice.chance(0.3)) later.push(this.#retry(dice.pick(jobs).job.id));
      await this.#world.pause(dice.between(500, 8_000));
      await this.#perform(retryWorkflow(organizationId, id, by));
    }
    await Promise.all(later);
    // One that was cancelled before its release is HELD again when a retry has revived it.
    for (const { job, deferred } of jobs) if (deferred) await this.#release(job.id);
  }

  async #perform<Outcome>(command: Command<Outcome | JobFault>): Promise<Outcome | JobFault> {
    return await this.#persist(
      async (cluster) =>
        await cluster.router.ownerOf(this.#organizationId).perform(command).catch(refusal),
    );
  }

  async #submit(submissions: readonly Submission[]): Promise<void> {
    const outcomes = await this.#persist(
      async (cluster) => await cluster.router.ownerOf(this.#organizationId).submit(submissions),
    );
    const { dice } = this.#world;
    const later: Promise<void>[] = [];
    outcomes.forEach((outcome, index) => {
      const requestId = submissions[index]?.request?.requestId ?? "";
      if (outcome instanceof JobFault) {
        if (outcome.reason !== "JOB_CONFLICT" && outcome.reason !== "QUEUE_FULL") throw outcome;
        return;
      }
      this.#told.submitted.set(requestId, outcome.job.id);
      if (dice.chance(0.15)) later.push(this.#cancel(outcome.job.id));
      else if (dice.chance(0.5)) later.push(this.#retry(outcome.job.id));
    });
    await Promise.all(later);
  }

  async #cancel(id: JobId): Promise<void> {
    await this.#world.pause(this.#world.dice.between(0, 2_000));
    const reason = "simulated";
    const outcome = await this.#persist(
      async (cluster) =>
        await cluster.router
          .ownerOf(this.#organizationId)
          .cancel(this.#organizationId, id, { reason, by: SERVER })
          .catch(refusal),
    );
    if (!(outcome instanceof JobFault)) this.#told.cancelled.add(id);
  }

  /** Somebody approves of a deferred job, sooner or later than its submission arrives. */
  async #release(id: JobId): Promise<void> {
    this.#told.deferred.add(id);
    await this.#world.pause(this.#world.dice.between(0, 3_000));
    this.#told.releasesSent.add(id);
    const organizationId = this.#organizationId;
    const wanted = { organizationId, userId: APPROVED, name: RELEASE_JOB, value: id };
    const outcome = await this.#persist(
      async (cluster) =>
        await cluster.router
          .ownerOf(organizationId)
          .perform(setAttribute({ ...wanted, kind: "DYNAMIC" }, SERVER))
          .catch(refusal),
    );
    // An answer that was lost: the first one has released it.
    if (outcome instanceof JobFault && outcome.reason !== "JOB_NOT_HELD") throw outcome;
  }

  async #retry(id: JobId): Promise<void> {
    // Also about when the job is to be removed.
    await this.#world.pause(this.#world.dice.between(500, 15_000));
    await this.#persist(
      async (cluster) =>
        await cluster.router
          .ownerOf(this.#organizationId)
          .retry(this.#organizationId, id, SERVER)
          .catch(refusal),
    );
  }

  async #persist<T>(work: (cluster: Cluster) => Promise<T>): Promise<T> {
    for (;;) {
      try {
        return await this.#world.dice.pick(this.#servers).call(work);
      } catch {
        await this.#world.pause(this.#world.dice.between(50, 500));
      }
    }
  }

  #submission(): Submission {
    const { dice, now: createdAt } = this.#world;
    const deferred = dice.chance(0.15);
    const job = randomJob(this.#world, this.#organizationId, deferred);
    const requestId = `request-${job.id}`;
    const submission = asRequested(job, { requestId, fingerprint: requestId, createdAt });
    return { ...submission, deferred, idIsChosen: deferred || dice.chance(0.5) };
  }
}

/** A typed refusal is an answer; being unavailable is not. */
const refusal = (error: unknown): JobFault => {
  if (error instanceof JobFault && error.reason !== "SHARD_UNAVAILABLE") return error;
  throw error;
};

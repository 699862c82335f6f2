import type { DeliveryRow } from "../../src/jobs/delivery.ts";
import type { HookRow } from "../../src/jobs/hook.ts";
import type { JobRow } from "../../src/jobs/job.ts";
import { LIMITS } from "../../src/jobs/limits.ts";
import { hasEnded } from "../../src/jobs/states.ts";
import type { ShardChanges } from "../../src/store/store.ts";
import { broken } from "./broken.ts";

/**
 * Hooks, commit by commit: each is owed one notice of every committed change that it waits for, and
 * none of any other. A notice that becomes a job becomes one, and no chain of hooks goes in circles.
 */
export class HookLedger {
  readonly #hooks = new Map<string, HookRow>();
  readonly #known = new Set<string>();
  /** Notices that became jobs. */
  readonly #submitted = new Set<string>();
  told = 0;
  stopped = 0;

  get submitted(): number {
    return this.#submitted.size;
  }

  /** Before the jobs of the commit are taken in. */
  committed(changes: ShardChanges, jobs: ReadonlyMap<string, JobRow>): void {
    for (const row of changes.hooks) {
      this.stopped += row.loopsStopped - (this.#hooks.get(row.id)?.loopsStopped ?? 0);
      this.#hooks.set(row.id, row);
    }
    for (const { id } of changes.removedHooks) this.#hooks.delete(id);
    this.#checkNotices(changes, jobs);
    this.#checkJobs(changes, jobs);
  }

  #checkNotices(
    { inserted, updated, deliveries }: ShardChanges,
    jobs: ReadonlyMap<string, JobRow>,
  ): void {
    const fresh = deliveries.filter(({ id, jobId, hookId }) => {
      if (jobId === "" || hookId === "" || this.#known.has(id)) return false;
      this.#known.add(id);
      return true;
    });
    const owed = Map.groupBy(fresh, keyOf);
    for (const row of [...inserted, ...updated]) {
      const before = jobs.get(row.id);
      // One that was retried, and ended again in the same commit, is told again.
      const endedAgain = hasEnded(row.state) && row.endedAt !== before?.endedAt;
      if (before?.state === row.state && !endedAgain) continue;
      for (const hook of this.#hooks.values()) {
        const key = keyOf({ hookId: hook.id, jobId: row.id });
        const notices = owed.get(key) ?? [];
        owed.delete(key);
        this.#checkOne(hook, row, notices);
      }
    }
    for (const key of owed.keys()) broken("a hook is told of no other change", { key });
  }

  #checkOne(hook: HookRow, job: JobRow, notices: readonly DeliveryRow[]): void {
    const facts = { hook: hook.id, job: job.id, state: job.state, notices: notices.length };
    const wants = isWanted(hook, job);
    if (wants && notices.length !== 1) {
      broken("a hook is told of every change that matches", facts);
    }
    const event = `job.${job.state.toLowerCase()}`;
    if (notices.some((notice) => !wants || notice.event !== event)) {
      broken("a hook is told of no other change", facts);
    }
    this.told += notices.length;
  }

  #checkJobs({ inserted, deliveries }: ShardChanges, jobs: ReadonlyMap<string, JobRow>): void {
    const made = new Map(inserted.map((row) => [row.id as string, row]));
    const ours = new Set<string>();
    for (const { id, submittedJobId, hookId, hookChain } of deliveries) {
      if (submittedJobId === "") continue;
      const job = made.get(submittedJobId);
      const chain = [...hookChain, hookId].join(" ");
      if (this.#submitted.has(id) || job?.hookChain.join(" ") !== chain) {
        broken("a notice of a hook makes one job", { id, submittedJobId, chain });
      }
      this.#submitted.add(id);
      ours.add(submittedJobId);
    }
    for (const { id, hookChain, parentId } of inserted) {
      const inherited = jobs.get(parentId)?.hookChain ?? [];
      if (hookChain.join(" ") !== inherited.join(" ") && !ours.has(id)) {
        broken("a notice of a hook makes one job", { id, hookChain });
      }
      if (new Set(hookChain).size < hookChain.length || hookChain.length > LIMITS.hookChain) {
        broken("hooks do not go in circles", { id, hookChain });
      }
    }
  }
}

const keyOf = ({ hookId, jobId }: Pick<DeliveryRow, "hookId" | "jobId">): string =>
  `${hookId} ${jobId}`;

/** As docs/hooks.md says it. */
const isWanted = ({ id, organizationId, event, target, pausedAt }: HookRow, job: JobRow): boolean =>
  event.kind === "jobs" &&
  organizationId === job.organizationId &&
  pausedAt === null &&
  event.states.includes(job.state) &&
  (event.types.length === 0 || event.types.includes(job.type)) &&
  Object.keys(event.labels).every((key) => event.labels[key] === job.labels[key]) &&
  !job.hookChain.includes(id) &&
  (target.kind === "url" || job.hookChain.length < LIMITS.hookChain);

import type { DeliveryRow } from "../../src/jobs/delivery.ts";
import type { HookRow } from "../../src/jobs/hook.ts";
import type { JobRow } from "../../src/jobs/job.ts";
import { LIMITS } from "../../src/jobs/limits.ts";
import type { UntoldNotice } from "../../src/jobs/unfinished.ts";
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
  committed(
    changes: ShardChanges,
    jobs: ReadonlyMap<string, JobRow>,
    told: readonly UntoldNotice[],
  ): void {
    for (const row of changes.hooks) {
      this.stopped += row.loopsStopped - (this.#hooks.get(row.id)?.loopsStopped ?? 0);
      this.#hooks.set(row.id, row);
    }
    for (const { id } of changes.removedHooks) this.#hooks.delete(id);
    this.#checkNotices(changes, jobs, told);
    this.#checkJobs(changes, jobs);
  }

  #checkNotices(
    { inserted, updated, deliveries, unfinished }: ShardChanges,
    jobs: ReadonlyMap<string, JobRow>,
    told: readonly UntoldNotice[],
  ): void {
    const made = deliveries.filter(({ id, jobId, hookId }) => {
      if (jobId === "" || hookId === "" || this.#known.has(id)) return false;
      this.#known.add(id);
      return true;
    });
    const fresh = [...withoutRest(made, told, this.#hooks), ...promised(unfinished)];
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

  #checkOne(hook: HookRow, job: JobRow, notices: readonly Notice[]): void {
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

type Notice = Pick<DeliveryRow, "hookId" | "jobId" | "event">;

/** Notices that the commit leaves to later ones: it owes them all the same. */
const promised = (unfinished: ShardChanges["unfinished"]): Notice[] =>
  unfinished
    .filter(({ kind }) => kind === "tell")
    .flatMap(({ body }) => {
      const { notice, hooks } = JSON.parse(body) as UntoldNotice;
      return hooks.map((hookId) => ({ hookId, jobId: notice.jobId, event: notice.event }));
    });

/** Without those that earlier commits left to this one, all of which have to be there. */
const withoutRest = (
  made: readonly Notice[],
  told: readonly UntoldNotice[],
  hooks: ReadonlyMap<string, HookRow>,
): Notice[] => {
  const fresh = [...made];
  for (const { notice, hooks: ids } of told) {
    for (const id of ids) {
      const at = fresh.findIndex(
        ({ hookId, jobId, event }) =>
          hookId === id && jobId === notice.jobId && event === notice.event,
      );
      if (at >= 0) fresh.splice(at, 1);
      else if (hooks.has(id)) broken("a hook is told of every change that matches", { id, notice });
    }
  }
  return fresh;
};

const keyOf = ({ hookId, jobId }: Pick<Notice, "hookId" | "jobId">): string => `${hookId} ${jobId}`;

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

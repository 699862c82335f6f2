import type { JobId } from "../../src/jobs/ids.ts";
import type { AttemptRow, JobRow } from "../../src/jobs/job.ts";
import { LIMITS } from "../../src/jobs/limits.ts";
import { hasEnded } from "../../src/jobs/states.ts";
import type { ShardChanges } from "../../src/store/store.ts";
import { broken } from "./broken.ts";

type Name = { readonly parentId: JobId; readonly requestId: string };

/** Jobs of jobs, commit by commit, and what those who wait for them are told. */
export class FamilyLedger {
  /** Of each parent, by the request that stands for a name. */
  readonly #children = new Map<JobId, Map<string, JobId>>();
  readonly #names = new Map<JobId, Name>();
  /** The states in which each child has ended so far. */
  readonly #ends = new Map<JobId, Set<JobRow["state"]>>();
  born = 0;
  /** The depth of the deepest child. */
  deepest = 0;
  /** Answers that told an end. */
  answers = 0;

  /**
   * `jobs` are as they were before the commit, without those that it removes. `settled` are those whose
   * children had been left to this commit, `unsettled` those whose children are left to later ones.
   */
  committed(
    { inserted, updated, specs, purged }: ShardChanges,
    jobs: ReadonlyMap<string, JobRow>,
    { settled, unsettled }: Record<"settled" | "unsettled", ReadonlySet<string>>,
  ): void {
    for (const { id } of purged) this.#forget(id);
    const births = inserted.filter(({ parentId }) => parentId !== "");
    const changed = new Map([...inserted, ...updated].map((row) => [row.id, row]));
    for (const row of births) {
      const requestId = specs.find(({ id }) => id === row.id)?.requestId ?? "";
      this.#bear(row, { parentId: row.parentId as JobId, requestId }, jobs);
    }
    const counts = Map.groupBy(births, ({ parentId }) => parentId);
    const of = (child: JobId) => ({
      before: jobs.get(child),
      after: changed.get(child) ?? jobs.get(child),
    });
    for (const id of settled) {
      const row = of(id as JobId).after;
      if (row !== undefined && !unsettled.has(id)) this.#checkChildren(row, false, of);
    }
    for (const row of changed.values()) {
      const { id, childCount } = row;
      const before = jobs.get(id);
      const born = counts.get(id)?.length ?? 0;
      if (childCount !== (before?.childCount ?? 0) + born || childCount > LIMITS.children) {
        broken("children are counted, and bounded", { id, childCount, born });
      }
      if (row.parentId !== "" && hasEnded(row.state)) this.#ends.get(id)?.add(row.state);
      if (!unsettled.has(id)) this.#checkCancelled(row, before, of);
    }
  }

  #bear(row: JobRow, { parentId, requestId }: Name, jobs: ReadonlyMap<string, JobRow>): void {
    const { id, depth } = row;
    const parent = jobs.get(parentId);
    if (parent?.state !== "RUNNING") {
      broken("a child is born of a running job", { id, parentId, state: parent?.state });
    }
    if (depth !== (parent?.depth ?? 0) + 1 || depth > LIMITS.childDepth) {
      broken("children are counted, and bounded", { id, depth });
    }
    const siblings = this.#children.get(parentId) ?? new Map<string, JobId>();
    const known = siblings.get(requestId);
    if (known !== undefined) broken("a name is one child of its parent", { parentId, id, known });
    siblings.set(requestId, id);
    this.#children.set(parentId, siblings);
    this.#names.set(id, { parentId, requestId });
    this.#ends.set(id, new Set());
    this.born += 1;
    this.deepest = Math.max(this.deepest, depth);
  }

  /** With a job that is cancelled go the children that it has; what it has later, when it ends. */
  #checkCancelled(
    row: JobRow,
    old: JobRow | undefined,
    of: (child: JobId) => Record<"before" | "after", JobRow | undefined>,
  ): void {
    const { state, cancelRequestedAt } = row;
    const hasCome = state === "CANCELLED" && old?.state !== "CANCELLED";
    const isAsked = cancelRequestedAt !== null && old?.cancelRequestedAt === null;
    if (hasCome || isAsked) this.#checkChildren(row, hasCome, of);
  }

  #checkChildren(
    { id, state, cancelRequestedAt }: JobRow,
    hasCome: boolean,
    of: (child: JobId) => Record<"before" | "after", JobRow | undefined>,
  ): void {
    if (state !== "CANCELLED" && cancelRequestedAt === null) return;
    for (const child of this.#children.get(id)?.values() ?? []) {
      const { before, after } = of(child);
      // One that was brought back by hand meanwhile is somebody else's matter.
      if (after === undefined || hasEnded(after.state) || hasEnded(before?.state ?? "QUEUED"))
        continue;
      if (before === undefined && !hasCome) continue;
      if (after.cancelRequestedAt === null) {
        broken("no child of a cancelled job goes on", { id, child, state: after.state });
      }
    }
  }

  /** A runner was told which child that name is. */
  named({ parentId, requestId }: Name, child: JobId): void {
    const known = this.#children.get(parentId)?.get(requestId);
    // Retention may have taken it meanwhile.
    if (known !== undefined && known !== child) {
      broken("a name is one child of its parent", { parentId, child, known });
    }
  }

  /** A runner was told how a child has ended. */
  answered(
    { id, state }: Pick<JobRow, "id" | "state">,
    result: string,
    attempts: ReadonlyMap<string, AttemptRow>,
  ): void {
    const ends = this.#ends.get(id);
    if (ends === undefined) return;
    this.answers += 1;
    const isResult = (row: AttemptRow): boolean => row.jobId === id && row.result === result;
    const isTrue = state !== "SUCCEEDED" || [...attempts.values()].some(isResult);
    if (!ends.has(state) || !isTrue) {
      broken("a waiter learns what its child came to", { id, state, result, ends: [...ends] });
    }
  }

  #forget(id: JobId): void {
    this.#children.delete(id);
    this.#ends.delete(id);
    const name = this.#names.get(id);
    if (name !== undefined) this.#children.get(name.parentId)?.delete(name.requestId);
    this.#names.delete(id);
  }
}

import type { JobId, OrganizationId } from "../jobs/ids.ts";
import type { JobRow, OutputRow } from "../jobs/job.ts";
import type { Feed, FeedItem, Subscription } from "./owner.ts";

/** Commits that a subscriber may leave untaken before it is told to read from the store. */
const BACKLOG = 64;

/** Those who want the same rows: they share one Commit. */
type Audience = Set<Subscriber>;

type OrganizationAudience = { readonly all: Audience; readonly byJob: Map<JobId, Audience> };

type Draft = { readonly revision: number; readonly jobs: JobRow[]; readonly output: OutputRow[] };

/**
 * Hands committed changes to whoever watches. A commit is split once, whatever the number of
 * watchers; organizations that nobody watches cost one look-up. A subscriber that does not keep up
 * loses its backlog and is told so: it never holds more than references to 64 commits.
 */
export class ShardFeed implements Feed {
  readonly #organizations = new Map<OrganizationId, OrganizationAudience>();

  watchJob(organizationId: OrganizationId, id: JobId): Subscription {
    const { byJob } = this.#audience(organizationId);
    const audience: Audience = byJob.get(id) ?? new Set();
    byJob.set(id, audience);
    return this.#subscribe(organizationId, audience, () => {
      if (audience.size === 0 && byJob.get(id) === audience) byJob.delete(id);
    });
  }

  watchOrganization(organizationId: OrganizationId): Subscription {
    return this.#subscribe(organizationId, this.#audience(organizationId).all, () => {});
  }

  publish(revision: number, jobs: readonly JobRow[], output: readonly OutputRow[]): void {
    if (this.#organizations.size === 0) return;
    const drafts = new Map<Audience, Draft>();
    const draftFor = (audience: Audience): Draft => {
      const known = drafts.get(audience);
      if (known !== undefined) return known;
      const draft: Draft = { revision, jobs: [], output: [] };
      drafts.set(audience, draft);
      return draft;
    };
    for (const row of jobs) {
      for (const audience of this.#audiencesOf(row.organizationId, row.id)) {
        draftFor(audience).jobs.push(row);
      }
    }
    for (const row of output) {
      for (const audience of this.#audiencesOf(row.organizationId, row.jobId)) {
        draftFor(audience).output.push(row);
      }
    }
    for (const [audience, commit] of drafts) {
      for (const subscriber of [...audience]) subscriber.offer({ kind: "commit", commit });
    }
  }

  /** Every subscriber has to subscribe again: what it missed is in the store. */
  close(): void {
    for (const { all, byJob } of [...this.#organizations.values()]) {
      for (const audience of [all, ...byJob.values()]) {
        for (const subscriber of [...audience]) subscriber.end();
      }
    }
  }

  #audiencesOf(organizationId: OrganizationId, id: JobId): Audience[] {
    const watched = this.#organizations.get(organizationId);
    if (watched === undefined) return [];
    const own = watched.byJob.get(id);
    const audiences = watched.all.size > 0 ? [watched.all] : [];
    return own === undefined ? audiences : [...audiences, own];
  }

  #audience(organizationId: OrganizationId): OrganizationAudience {
    const known = this.#organizations.get(organizationId);
    if (known !== undefined) return known;
    const audience: OrganizationAudience = { all: new Set(), byJob: new Map() };
    this.#organizations.set(organizationId, audience);
    return audience;
  }

  #subscribe(
    organizationId: OrganizationId,
    audience: Audience,
    emptied: () => void,
  ): Subscription {
    const subscriber = new Subscriber((self) => {
      audience.delete(self);
      emptied();
      const watched = this.#organizations.get(organizationId);
      if (watched?.all.size === 0 && watched.byJob.size === 0) {
        this.#organizations.delete(organizationId);
      }
    });
    audience.add(subscriber);
    return subscriber;
  }
}

class Subscriber implements Subscription {
  #backlog: FeedItem[] = [];
  #wake: (() => void) | null = null;
  readonly #leave: (self: Subscriber) => void;

  constructor(leave: (self: Subscriber) => void) {
    this.#leave = leave;
  }

  offer(item: FeedItem): void {
    if (item.kind === "commit" && this.#backlog.length >= BACKLOG) {
      this.#backlog = [{ kind: "behind" }];
    } else {
      this.#backlog.push(item);
    }
    this.#wake?.();
  }

  end(): void {
    this.close();
    this.offer({ kind: "closed" });
  }

  async next(signal: AbortSignal): Promise<FeedItem> {
    signal.throwIfAborted();
    if (this.#backlog.length === 0) await this.#arrival(signal);
    return this.#backlog.shift() ?? { kind: "behind" };
  }

  close(): void {
    this.#leave(this);
  }

  async #arrival(signal: AbortSignal): Promise<void> {
    await new Promise<void>((resolve, reject) => {
      const abort = (): void => {
        this.#wake = null;
        reject(signal.reason as Error);
      };
      this.#wake = () => {
        this.#wake = null;
        signal.removeEventListener("abort", abort);
        resolve();
      };
      signal.addEventListener("abort", abort, { once: true });
    });
  }
}

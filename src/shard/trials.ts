import type { Organization } from "./organization.ts";

/** Types that are paused because they kept crashing. There are few, if any. */
export class Trials {
  readonly #paused = new Map<
    string,
    { readonly organization: Organization; readonly type: string }
  >();

  /** A breaker was set. */
  watch(organization: Organization, type: string): void {
    const key = `${organization.id}/${type}`;
    const openedAt = organization.breaker(type)?.openedAt ?? null;
    if (openedAt === null) this.#paused.delete(key);
    else this.#paused.set(key, { organization, type });
  }

  /** When the next one may be tried; Infinity if none waits for that. */
  next(): number {
    let next = Number.POSITIVE_INFINITY;
    for (const { organization, type } of this.#paused.values()) {
      next = Math.min(next, organization.retryTypeAt(type));
    }
    return next;
  }

  /** Lets those be tried whose time has come. */
  begin(now: number): void {
    for (const { organization, type } of this.#paused.values()) {
      if (organization.retryTypeAt(type) <= now) organization.tryAgain(type);
    }
  }
}

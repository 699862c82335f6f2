import { JobFault } from "../../jobs/errors.ts";
import { type Clock, sleep } from "../../runtime/clock.ts";
import type { Commit, FeedItem, Subscription } from "../../shard/owner.ts";

/**
 * Follows the changes of one job or one organization over everything that may happen to their
 * shard. Owns one subscription at a time; says `reread` whenever something may have been missed:
 * what the store holds by then, and what comes after it, is everything.
 */
export type Follower = {
  /** Subscribes now, so that a snapshot taken later misses nothing. @throws JobFault SHARD_UNAVAILABLE */
  open(): void;
  /** @throws JobFault SHARD_UNAVAILABLE when the shard stays away; the signal's reason */
  next(signal: AbortSignal): Promise<Change>;
  close(): void;
};

export type Change =
  | { readonly kind: "commit"; readonly commit: Commit }
  | { readonly kind: "reread" };

/** A shard that moves is served again within the lease of its owner, 10 s, and the time to load it. */
const PATIENCE_MS = 15_000;
const RETRY_MS = 200;

export const follow = (subscribe: () => Subscription, clock: Clock): Follower => {
  let subscription: Subscription | undefined;
  let ended = false;

  const open = (): void => {
    if (ended) throw new Error("a follower was used after its end");
    subscription ??= subscribe();
  };

  const reopen = async (signal: AbortSignal): Promise<void> => {
    const deadline = clock.monotonic() + PATIENCE_MS;
    for (;;) {
      signal.throwIfAborted();
      try {
        open();
        return;
      } catch (caught) {
        const away = caught instanceof JobFault && caught.reason === "SHARD_UNAVAILABLE";
        if (!away || clock.monotonic() >= deadline) throw caught;
      }
      await sleep(clock, RETRY_MS, signal);
    }
  };

  const close = (): void => {
    subscription?.close();
    subscription = undefined;
  };

  return {
    open,
    next: async (signal) => {
      // The end of a call may have closed the follower already: the call's own reason comes first.
      signal.throwIfAborted();
      if (subscription === undefined) {
        open();
        return { kind: "reread" };
      }
      const item: FeedItem = await subscription.next(signal);
      if (item.kind === "commit") return item;
      if (item.kind === "closed") {
        close();
        await reopen(signal);
      }
      return { kind: "reread" };
    },
    close: () => {
      ended = true;
      close();
    },
  };
};

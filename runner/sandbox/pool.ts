import { type Clock } from "../../src/runtime/clock.ts";
import type { Log } from "../../src/runtime/log.ts";
import type { ChildProcessEnd } from "./child-process.ts";
import { createPatience } from "./patience.ts";
import type { ReadUsage } from "./proc.ts";
import { createReadiness } from "./readiness.ts";
import type { WearLimits } from "./wear.ts";
import { createWaiters } from "./waiters.ts";
import { createWearRecords, type WearRecord } from "./wear-record.ts";
import { choose, freshOf, type Isolation, type Member, type Room, surplus } from "./choose.ts";

/**
 * The sandbox children. It owns all of them: nobody else starts, ends or lends one. A child starts
 * fresh, serves whom the isolation lets it serve, and is ended when it is worn, when something was
 * odd, or when an organization that it may not serve needs its place. Nothing survives a crash of the runner: the
 * children end with it.
 */
export type Pool = {
  /** Resolves when the first child is ready. @throws SandboxUnavailable */
  start(): Promise<void>;
  /** A child that may serve the organization, ready. @throws SandboxUnavailable, the signal's reason */
  take(organizationId: string, signal: AbortSignal): Promise<ChildProcessEnd>;
  /**
   * Gives a child back. `fit`: it waits for its next attempt, unless it is worn; otherwise it is
   * ended. `cleanUpMs`: see wear.ts.
   */
  give(child: ChildProcessEnd, fit: boolean, cleanUpMs: number): void;
  /** Ends all children, busy or not; resolves when they are gone. */
  stop(): Promise<void>;
  members(): readonly PoolMember[];
};

export type PoolMember = Member & { readonly pid: number };

export class SandboxUnavailable extends Error {
  override readonly name = "SandboxUnavailable";
}

export type PoolOptions = {
  readonly clock: Clock;
  readonly log: Log;
  /** Starts a child that says `ready` when it can take an attempt. @throws what the system throws */
  readonly spawn: () => ChildProcessEnd;
  readonly isolation: Isolation;
  /** Attempts at once, beside those that rest. */
  readonly slots: number;
  /** How many attempts rest: they keep their children. */
  readonly resting: () => number;
  /**
   * Fresh children kept ready beyond those that have served; in `process` isolation, of which
   * every attempt takes one, more of them while there is demand.
   */
  readonly spares: number;
  readonly wear: WearLimits;
  readonly readUsage: ReadUsage;
  readonly worn: (by: keyof WearLimits) => void;
};

type Child = {
  state: "starting" | "idle" | "busy";
  organizationId: string | null;
  usedAt: number;
  attempts: number;
  readonly startedAt: number;
  readonly record: WearRecord;
  readonly end: ChildProcessEnd;
} & Member;

/** A child that does not start is no accident when it happens so often in a row. */
const MOST_FAILED_STARTS = 5;
const START_BACKOFF_MS = 100;
/** A child takes a tenth of a second; one that hangs must not hold its place for ever. */
export const START_WITHIN_MS = 30_000;

/** Idle children whose age is over are replaced one at a time, so often within that age. */
const LOOKS_FOR_AGE = 20;
/** For whom the start takes a child, which stays fresh. */
const NOBODY = "";

export const createPool = (options: PoolOptions): Pool => {
  const { clock, log, isolation, slots, spares, wear } = options;
  const room = (): Room => {
    const atOnce = slots + options.resting();
    return { isolation, slots: atOnce, most: atOnce + spares };
  };
  const children = new Map<ChildProcessEnd, Child>();
  const dying = new Set<ChildProcessEnd>();
  const waiters = createWaiters(clock);
  const patience = createPatience();
  let uses = 0;
  let failedStarts = 0;
  let backingOff = false;
  let stopBackingOff = (): void => {};
  let lookingAgain = false;
  let stopped = false;
  let stopLooking = (): void => {};
  const recordOf = createWearRecords(clock, options.readUsage, wear, options.worn);
  const readiness = createReadiness({
    clock,
    isolation,
    slots,
    spares,
    look: () => {
      settle();
    },
  });

  const count = (state: Child["state"]): number => {
    let found = 0;
    for (const child of children.values()) if (child.state === state) found += 1;
    return found;
  };

  const remove = (end: ChildProcessEnd): void => {
    if (!children.delete(end)) return;
    dying.add(end);
    void end.exited.then(() => dying.delete(end));
    end.kill();
  };

  const failStart = (how: string, lastWords: string): void => {
    failedStarts += 1;
    log.error({ how, lastWords, failedStarts }, "a sandbox child did not start");
    if (failedStarts >= MOST_FAILED_STARTS) {
      waiters.refuse(new SandboxUnavailable(`the sandbox cannot be started: ${how}. ${lastWords}`));
    }
    backingOff = true;
    stopBackingOff = clock.after(START_BACKOFF_MS * 2 ** Math.min(failedStarts, 6), () => {
      backingOff = false;
      settle();
    });
  };

  const spawn = (): void => {
    let end: ChildProcessEnd;
    try {
      end = options.spawn();
    } catch (cause) {
      // Out of processes, files or disk: it may pass.
      failStart(String(cause), "");
      return;
    }
    const child: Child = {
      state: "starting",
      organizationId: null,
      usedAt: 0,
      attempts: 0,
      startedAt: clock.monotonic(),
      record: recordOf(end.pid),
      end,
    };
    children.set(end, child);
    attend(child);
    const hangs = (): void => void (child.state === "starting" && end.kill());
    void end.exited.then(clock.after(START_WITHIN_MS, hangs));
  };

  /** A child that is not busy has nothing to say but that it is ready. */
  const attend = (child: Child): void => {
    const { end } = child;
    end.listen({
      heard: (frame) => {
        if (frame.op === "ready" && child.state === "starting") {
          failedStarts = 0;
          patience.started(clock.monotonic() - child.startedAt);
          child.state = "idle";
        } else {
          log.error({ pid: end.pid, op: frame.op }, "an idle sandbox child spoke");
          // What else is in the pipe is not told.
          end.listen({ heard: () => {}, exited: () => {} });
          remove(end);
        }
        settle();
      },
      exited: ({ how, lastWords }) => {
        if (!children.delete(end) || stopped) return;
        if (child.state === "starting") failStart(how, lastWords);
        else log.warn({ pid: end.pid, how, lastWords }, "an idle sandbox child ended");
        settle();
      },
    });
  };

  /** Also a child that has nothing to do grows old. */
  const lookForAge = (): void => {
    stopLooking = clock.after(wear.ageMs / LOOKS_FOR_AGE, () => {
      const old = [...children.values()].find(
        (child) => child.state === "idle" && child.record.isWorn(child.attempts, 0),
      );
      if (old !== undefined) remove(old.end);
      settle();
      lookForAge();
    });
  };

  const rest = (child: Child): void => {
    child.state = "idle";
    attend(child);
  };

  const lend = (child: Child, organizationId: string): ChildProcessEnd => {
    child.state = "busy";
    if (organizationId !== NOBODY) child.organizationId = organizationId;
    child.usedAt = ++uses;
    child.attempts += 1;
    return child.end;
  };

  /** Serves whom it can, in their order, then starts as many children as are wanted and allowed. */
  const settle = (): void => {
    if (stopped) return;
    let left = 0;
    let starting = count("starting");
    for (const waiter of waiters.all()) {
      const patient = clock.monotonic() - waiter.since < patience.ms();
      const choice = choose(children.values(), waiter.organizationId, room(), patient);
      if (choice.kind === "use") {
        waiter.found(lend(choice.member, waiter.organizationId));
        continue;
      }
      left += 1;
      // Each child that is starting will serve one of those who wait before.
      if (starting >= Math.min(left, slots)) continue;
      if (choice.kind === "wait" || backingOff) continue;
      if (choice.kind === "replace") remove(choice.member.end);
      spawn();
      starting += 1;
    }
    if (left > 0) lookAgain();
    refill();
  };

  /** Patience ends without an event of its own. */
  const lookAgain = (): void => {
    if (lookingAgain) return;
    lookingAgain = true;
    clock.after(patience.ms(), () => {
      lookingAgain = false;
      settle();
    });
  };

  const refill = (): void => {
    const old = surplus(children.values(), room().slots);
    if (old !== null) remove(old.end);
    const fresh = freshOf(children.values());
    let [count, starting] = [fresh.count, fresh.starting];
    const { wanted, kept } = readiness.of(waiters.size);
    if (count > kept && fresh.idle !== null) remove(fresh.idle.end);
    while (count < wanted && starting < slots && children.size < room().most && !backingOff) {
      spawn();
      count += 1;
      starting += 1;
    }
  };

  const take = async (organizationId: string, signal: AbortSignal): Promise<ChildProcessEnd> => {
    if (stopped) throw new SandboxUnavailable("the sandbox is stopped");
    return await waiters.wait(organizationId, signal, () => {
      readiness.note(waiters.size + count("busy"));
      settle();
    });
  };

  return {
    take,
    start: async () => {
      settle();
      const child = await take(NOBODY, new AbortController().signal);
      const first = children.get(child);
      if (first === undefined) throw new SandboxUnavailable("the first child ended at once");
      rest(first);
      lookForAge();
    },
    give: (end, fit, cleanUpMs) => {
      const child = children.get(end);
      if (child === undefined) return;
      const reused = fit && !stopped && isolation !== "process";
      if (reused && !child.record.isWorn(child.attempts, cleanUpMs)) rest(child);
      else remove(end);
      settle();
    },
    stop: async () => {
      stopped = true;
      stopLooking();
      stopBackingOff();
      readiness.stop();
      waiters.refuse(new SandboxUnavailable("the sandbox stops"));
      for (const end of children.keys()) remove(end);
      await Promise.all([...dying].map(async (end) => await end.exited));
    },
    members: () =>
      [...children.values()].map(({ state, organizationId, usedAt, end }) => ({
        state,
        organizationId,
        usedAt,
        pid: end.pid,
      })),
  };
};

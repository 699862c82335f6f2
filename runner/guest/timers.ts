import { codedError, post } from "./bridge.ts";
import {
  apply,
  floor,
  GuestMap,
  GuestPromise,
  GuestTypeError,
  isFinite,
  list,
  mapDelete,
  mapGet,
  mapSet,
  max,
  min,
  now,
  resolved,
  toNumber,
} from "./primordials.ts";

/**
 * Timers are kept here, ordered by due time; the host is asked for one wake-up only, the earliest.
 * So a script that sets and clears timers in a loop costs the host next to nothing.
 */
type Timer = {
  readonly id: number;
  readonly run: (...args: readonly unknown[]) => unknown;
  readonly args: readonly unknown[];
  /** Null: once. */
  readonly every: number | null;
  due: number;
  live: boolean;
};

export type Timers = {
  /** @throws quota.timers when too many wait */
  set(run: unknown, ms: unknown, args: readonly unknown[], repeat: boolean): number;
  clear(id: unknown): void;
  /** Runs what is due. */
  wake(): void;
};

/** In a microtask of its own. */
export const soon = async (run: () => void): Promise<void> => {
  await resolved;
  run();
};

const LONGEST_MS = 2 ** 31 - 1;

const delay = (ms: unknown): number => {
  const given = toNumber(ms);
  return isFinite(given) && given <= LONGEST_MS ? max(1, floor(given)) : 1;
};

/** `failed` gets what a callback throws, and that there are too many posts. */
export const createTimers = (most: number, failed: (error: unknown) => void): Timers => {
  const queue = list<Timer>();
  const byId = new GuestMap<number, Timer>();
  let length = 0;
  let lastId = 0;
  /** When the host will come by itself. */
  let armed = Infinity;
  let arming = false;

  const insert = (timer: Timer): void => {
    let at = length;
    while (at > 0 && (queue[at - 1] as Timer).due > timer.due) {
      queue[at] = queue[at - 1] as Timer;
      at -= 1;
    }
    queue[at] = timer;
    length += 1;
  };

  const removeAt = (at: number): void => {
    for (let i = at + 1; i < length; i++) queue[i - 1] = queue[i] as Timer;
    length -= 1;
    queue.length = length;
  };

  const arm = (): void => {
    arming = false;
    const first = queue[0];
    if (first === undefined || first.due >= armed) return;
    armed = first.due;
    try {
      post("wake", max(0, first.due - now()));
    } catch (error) {
      // Nobody would wake whoever waits for it.
      failed(error);
    }
  };

  /** Once per turn, however many timers a turn sets. */
  const armSoon = (): void => {
    if (arming) return;
    arming = true;
    void soon(arm);
  };

  return {
    set: (run, ms, args, repeat) => {
      if (typeof run !== "function") throw new GuestTypeError("a timer needs a function");
      if (length >= most) throw codedError("quota.timers", `more than ${most} timers at once`);
      const wait = delay(ms);
      lastId += 1;
      const timer: Timer = {
        id: lastId,
        run: run as Timer["run"],
        args,
        every: repeat ? wait : null,
        due: now() + wait,
        live: true,
      };
      mapSet(byId, timer.id, timer);
      insert(timer);
      armSoon();
      return lastId;
    },
    clear: (id) => {
      const timer = mapGet(byId, id) as Timer | undefined;
      if (timer === undefined) return;
      mapDelete(byId, id);
      timer.live = false;
      for (let at = 0; at < length; at++) {
        if (queue[at] === timer) {
          removeAt(at);
          return;
        }
      }
    },
    wake: () => {
      armed = Infinity;
      const until = now();
      // What a callback sets anew waits for the next wake-up, so this loop ends.
      const due = list<Timer>();
      let count = 0;
      while (length > 0 && (queue[0] as Timer).due <= until) {
        due[count++] = queue[0] as Timer;
        removeAt(0);
      }
      for (let i = 0; i < count; i++) {
        const timer = due[i] as Timer;
        if (!timer.live) continue;
        if (timer.every === null) {
          mapDelete(byId, timer.id);
        } else {
          timer.due = until + timer.every;
          insert(timer);
        }
        try {
          apply(timer.run, undefined, timer.args as unknown[]);
        } catch (error) {
          failed(error);
        }
      }
      arm();
    },
  };
};

/** A promise for later. `cancel` makes it reject. */
export const sleeper = (
  timers: Timers,
  ms: unknown,
  whenAborted: (abort: (reason: unknown) => void) => () => void,
): Promise<void> =>
  new GuestPromise((resolve, reject) => {
    const forget = whenAborted((reason) => {
      timers.clear(id);
      reject(reason);
    });
    const id = timers.set(
      () => {
        forget();
        resolve();
      },
      min(toNumber(ms), LONGEST_MS),
      [],
      false,
    );
  });

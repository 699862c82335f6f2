import type { Clock } from "../../runtime/clock.ts";

/** Returned when the time was up first. */
export const LATE = Symbol("late");

/** What `pending` comes to, or LATE after `ms`. `pending` goes on, and may be waited for again. */
export const within = async <T>(
  pending: Promise<T>,
  ms: number,
  clock: Clock,
): Promise<T | typeof LATE> => {
  const late = Promise.withResolvers<typeof LATE>();
  const cancel = clock.after(ms, () => late.resolve(LATE));
  try {
    return await Promise.race([pending, late.promise]);
  } finally {
    cancel();
  }
};

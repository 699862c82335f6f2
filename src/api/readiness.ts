import type { Clock } from "../runtime/clock.ts";
import type { Log } from "../runtime/log.ts";

/** Whether this server should be sent calls. */
export type Readiness = {
  /** One sentence for the operator; null when it is ready. Never rejects. */
  whyNot(): Promise<string | null>;
  /** From now on it is not: it drains. */
  drain(): void;
};

/** Probes come often, from many places: the database is asked once a second at most. */
const FRESH_MS = 1_000;
const PATIENCE_MS = 2_000;

export type ReadinessOptions = {
  readonly ping: () => Promise<void>;
  readonly clock: Clock;
  readonly log: Log;
};

export const createReadiness = ({ ping, clock, log }: ReadinessOptions): Readiness => {
  let draining = false;
  let asked: { readonly at: number; readonly answer: Promise<string | null> } | undefined;

  const ask = async (): Promise<string | null> => {
    const late = Promise.withResolvers<string>();
    const cancel = clock.after(PATIENCE_MS, () => late.resolve("the database does not answer"));
    try {
      return await Promise.race([ping().then(() => null), late.promise]);
    } catch (cause) {
      log.warn({ err: cause }, "the database cannot be reached");
      return "the database cannot be reached";
    } finally {
      cancel();
    }
  };

  return {
    whyNot: async () => {
      if (draining) return "shutting down";
      const now = clock.monotonic();
      if (asked === undefined || now - asked.at >= FRESH_MS) asked = { at: now, answer: ask() };
      return await asked.answer;
    },
    drain: () => {
      draining = true;
    },
  };
};

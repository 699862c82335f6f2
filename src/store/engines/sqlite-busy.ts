import { sleep, systemClock } from "../../runtime/clock.ts";
import { DatabaseError } from "../engine.ts";

/** How long to wait for another process (a CLI command) to end its write. */
const LONGEST_WAIT_MS = 5_000;
const RETRY_MS = 5;

export const BUSY = "SQLITE_BUSY";

/**
 * Tries again while another connection writes. SQLite could wait by itself, but it would stop the
 * event loop, and with it whoever writes in this process.
 */
export const whenFree = async <T>(attempt: () => T | Promise<T>): Promise<T> => {
  const deadline = systemClock.monotonic() + LONGEST_WAIT_MS;
  for (;;) {
    try {
      return await attempt();
    } catch (cause) {
      const busy = cause instanceof DatabaseError && cause.code === BUSY;
      if (!busy || systemClock.monotonic() > deadline) throw cause;
      await sleep(systemClock, RETRY_MS);
    }
  }
};

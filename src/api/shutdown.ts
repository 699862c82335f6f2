import { shuttingDown } from "./errors.ts";

/** Tells the calls that are under way that the server stops: streams end with UNAVAILABLE, waits answer. */
export type Shutdown = { readonly signal: AbortSignal; begin(): void };

export const createShutdown = (): Shutdown => {
  const controller = new AbortController();
  return {
    signal: controller.signal,
    begin: () => {
      if (!controller.signal.aborted) controller.abort(shuttingDown());
    },
  };
};

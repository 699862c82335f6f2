/** So many at once; whoever comes later waits for a place, in the order of coming. */
export type Places = {
  /** @throws the signal's reason if it aborts first, and what `work` throws */
  during<T>(signal: AbortSignal, work: () => Promise<T>): Promise<T>;
  /** Somebody waits for a place. */
  isCrowded(): boolean;
};

export const createPlaces = (most: number): Places => {
  const queue = new Set<() => void>();
  let taken = 0;

  const take = async (signal: AbortSignal): Promise<void> => {
    signal.throwIfAborted();
    if (taken < most) {
      taken += 1;
      return;
    }
    const { promise, resolve, reject } = Promise.withResolvers<void>();
    const leave = (): void => {
      queue.delete(resolve);
      reject(signal.reason as Error);
    };
    queue.add(resolve);
    signal.addEventListener("abort", leave, { once: true });
    try {
      await promise;
    } finally {
      signal.removeEventListener("abort", leave);
    }
  };

  const giveBack = (): void => {
    const [next] = queue;
    if (next === undefined) {
      taken -= 1;
    } else {
      queue.delete(next);
      next();
    }
  };

  return {
    during: async (signal, work) => {
      await take(signal);
      try {
        return await work();
      } finally {
        giveBack();
      }
    },
    isCrowded: () => queue.size > 0,
  };
};

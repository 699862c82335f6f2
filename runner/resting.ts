/**
 * The attempts of this runner that wait for jobs of their own. Their slots are used by such jobs
 * meanwhile, so that there may be more attempts than slots.
 */
export type Resting = {
  /** `attempt`: its lease token. */
  during<T>(attempt: string, wait: () => Promise<T>): Promise<T>;
  /** How many rest. */
  count(): number;
};

export const createResting = (): Resting => {
  /** How many children each waits for. */
  const waits = new Map<string, number>();

  return {
    during: async (attempt, wait) => {
      waits.set(attempt, (waits.get(attempt) ?? 0) + 1);
      try {
        return await wait();
      } finally {
        const left = (waits.get(attempt) ?? 1) - 1;
        if (left === 0) waits.delete(attempt);
        else waits.set(attempt, left);
      }
    },
    count: () => waits.size,
  };
};

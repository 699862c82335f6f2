/** Whatever runs: `start` resolves when it is ready, `stop` is idempotent and resolves when all is settled. */
export type Service = {
  start(): Promise<void>;
  stop(): Promise<void>;
};

/**
 * Several services as one, which starts once and stops once. Starts in order; if one fails, stops
 * those before it. Stops in reverse order, also while it starts: `start` then throws. Whoever asks to
 * stop again waits for the same end. A service that cannot be stopped keeps none of the others from it.
 */
export const sequence = (services: readonly Service[]): Service => {
  const started: Service[] = [];
  let stopping: Promise<void> | null = null;

  const stopAll = async (): Promise<void> => {
    const failures: unknown[] = [];
    for (const service of started.toReversed()) {
      try {
        await service.stop();
      } catch (cause) {
        failures.push(cause);
      }
    }
    if (failures.length > 0) throw failures[0];
  };

  const stop = async (): Promise<void> => {
    stopping ??= stopAll();
    await stopping;
  };

  return {
    start: async () => {
      if (stopping !== null) throw new Error("stopped before it was started");
      for (const service of services) {
        started.push(service);
        try {
          await service.start();
        } catch (cause) {
          await stop();
          throw cause;
        }
        if (stopping === null) continue;
        // It was told in the middle of its start, and need not have heard.
        await service.stop();
        throw new Error("stopped before it had started");
      }
    },
    stop,
  };
};

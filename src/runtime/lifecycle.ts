/** Whatever runs: `start` resolves when it is ready, `stop` is idempotent and resolves when all is settled. */
export type Service = {
  start(): Promise<void>;
  stop(): Promise<void>;
};

/** Starts in order; if one fails, stops those before it. Stops in reverse order. */
export const sequence = (services: readonly Service[]): Service => {
  const started: Service[] = [];
  const stop = async (): Promise<void> => {
    for (let service = started.pop(); service !== undefined; service = started.pop()) {
      await service.stop();
    }
  };
  return {
    start: async () => {
      for (const service of services) {
        started.push(service);
        try {
          await service.start();
        } catch (cause) {
          await stop();
          throw cause;
        }
      }
    },
    stop,
  };
};

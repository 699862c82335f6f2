/**
 * Resolves when everything that has arrived at the process by now (requests, answers) has been
 * heard: after one turn of the event loop.
 */
export const heardAll = async (): Promise<void> => {
  await new Promise<void>((resolve) => {
    setImmediate(resolve);
  });
};

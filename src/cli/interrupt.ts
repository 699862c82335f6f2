import { EXIT } from "./exit-codes.ts";

/**
 * Aborts at the first SIGINT or SIGTERM, so that whatever runs can end in order, and when the parent
 * process that opened a channel to this one is gone. A second Ctrl-C ends the process at once.
 */
export const interruptSignal = (program: NodeJS.Process): AbortSignal => {
  const controller = new AbortController();
  const end = (why: string): void => {
    controller.abort(new Error(why));
  };
  program.on("SIGINT", () => {
    if (controller.signal.aborted) program.exit(EXIT.interrupted);
    end("interrupted");
  });
  program.on("SIGTERM", () => {
    end("asked to end");
  });
  program.once("disconnect", () => {
    end("the parent process is gone");
  });
  return controller.signal;
};

/** Resolves once the signal has aborted. */
export const aborted = async (signal: AbortSignal): Promise<void> => {
  if (signal.aborted) return;
  await new Promise<void>((resolve) => {
    signal.addEventListener(
      "abort",
      () => {
        resolve();
      },
      { once: true },
    );
  });
};

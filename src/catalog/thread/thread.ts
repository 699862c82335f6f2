import { Worker } from "node:worker_threads";

import type { Clock } from "../../runtime/clock.ts";

/** The file that a thread runs, and what it is called in messages. */
export type ThreadProgram = { readonly url: URL; readonly name: string };

/** Processor time that one question may take; starting the thread is not part of it. */
export const QUESTION_CPU_MS = 500;
const LOOK_EVERY_MS = 250;
const HEAP_MB = 256;
const STACK_MB = 4;

/** The question took too much time or memory. The thread is gone; the next question starts another. */
export class Overrun extends Error {
  override readonly name = "Overrun";
}

export class ThreadStopped extends Error {
  override readonly name = "ThreadStopped";
}

type Pending<Answer> = {
  readonly resolve: (answer: Answer) => void;
  readonly reject: (cause: unknown) => void;
};

/**
 * One worker thread, started when it is first asked, and again after it had to be ended. It answers
 * one question at a time. What it may take is counted in its own processor time: a busy machine, or
 * a process that was stopped for a while, makes no question too expensive.
 */
export class Thread<Question, Answer> {
  readonly #clock: Clock;
  readonly #program: ThreadProgram;
  #worker: Worker | null = null;
  #pending: Pending<Answer> | null = null;
  #stopWatching: () => void = () => {};

  constructor(clock: Clock, program: ThreadProgram) {
    this.#clock = clock;
    this.#program = program;
  }

  /** @throws Overrun; ThreadStopped; whatever the worker threw */
  async ask(question: Question): Promise<Answer> {
    const worker = (this.#worker ??= this.#start());
    try {
      return await new Promise<Answer>((resolve, reject) => {
        this.#pending = { resolve, reject };
        worker.postMessage(question);
        this.#watch(worker, null);
      });
    } finally {
      this.#stopWatching();
      this.#pending = null;
    }
  }

  async stop(): Promise<void> {
    const worker = this.#worker;
    this.#end(worker, new ThreadStopped("the server stops"));
    await worker?.terminate();
  }

  #start(): Worker {
    const worker = new Worker(this.#program.url, {
      // Nothing of the server is told to code that was made of a stranger's text.
      env: {},
      name: this.#program.name,
      resourceLimits: { maxOldGenerationSizeMb: HEAP_MB, stackSizeMb: STACK_MB },
    });
    // A server that ends does not wait for it.
    worker.unref();
    worker.on("message", (answer: Answer) => {
      if (worker === this.#worker) this.#pending?.resolve(answer);
    });
    worker.on("error", (cause: Error & { readonly code?: string }) => {
      const large = cause.code === "ERR_WORKER_OUT_OF_MEMORY";
      this.#end(worker, large ? new Overrun("it took too much memory") : cause);
    });
    worker.on("exit", (code) => {
      this.#end(worker, new Error(`the thread for ${this.#program.name} ended with ${code}`));
    });
    return worker;
  }

  #end(worker: Worker | null, cause: unknown): void {
    if (worker !== this.#worker) return;
    this.#worker = null;
    this.#pending?.reject(cause);
  }

  /** `begin`: the processor time at the first look; quick questions have no look at all. */
  #watch(worker: Worker, begin: number | null): void {
    this.#stopWatching = this.#clock.after(LOOK_EVERY_MS, () => {
      const pending = this.#pending;
      const look = async (): Promise<void> => {
        const used = await cpuMsOf(worker);
        if (this.#pending !== pending || worker !== this.#worker) return;
        if (used === null || begin === null || used - begin < QUESTION_CPU_MS) {
          this.#watch(worker, begin ?? used);
          return;
        }
        this.#end(worker, new Overrun(`it took more than ${QUESTION_CPU_MS} ms`));
        await worker.terminate();
      };
      look().catch((cause: unknown) => {
        this.#end(worker, cause);
      });
    });
  }
}

/** Null while it starts, or after it has ended, of which its events tell. */
const cpuMsOf = async (worker: Worker): Promise<number | null> => {
  try {
    const { user, system } = await worker.cpuUsage();
    return (user + system) / 1_000;
  } catch (caught) {
    const code = caught instanceof Error && "code" in caught ? caught.code : "";
    if (code === "ERR_WORKER_NOT_RUNNING") return null;
    throw caught;
  }
};

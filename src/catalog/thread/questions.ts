import { JobFault } from "../../jobs/errors.ts";
import type { OrganizationId } from "../../jobs/ids.ts";
import type { Clock } from "../../runtime/clock.ts";
import { Thread, type ThreadProgram, ThreadStopped } from "./thread.ts";
import { Turns } from "./turns.ts";

/** Questions to one thread, one at a time; organizations take turns. Holds the thread and those who wait. */
export type Questions<Question, Answer> = {
  /** @throws Overrun; JobFault SHUTTING_DOWN; whatever the thread threw */
  ask(organizationId: OrganizationId, question: Question): Promise<Answer>;
  stop(): Promise<void>;
};

type Waiting<Question, Answer> = {
  readonly question: Question;
  readonly resolve: (answer: Answer) => void;
  readonly reject: (cause: unknown) => void;
};

const orShutdown = async <T>(asked: Promise<T>): Promise<T> => {
  try {
    return await asked;
  } catch (cause) {
    if (!(cause instanceof ThreadStopped)) throw cause;
    throw new JobFault("SHUTTING_DOWN", "The server is shutting down. Please ask another.", {
      cause,
    });
  }
};

export const createQuestions = <Question, Answer>(
  clock: Clock,
  program: ThreadProgram,
): Questions<Question, Answer> => {
  const thread = new Thread<Question, Answer>(clock, program);
  const turns = new Turns<Waiting<Question, Answer>>();
  let working = false;
  let stopped = false;

  const work = async (): Promise<void> => {
    if (working) return;
    working = true;
    for (let next = turns.take(); next !== undefined; next = turns.take()) {
      await thread.ask(next.question).then(next.resolve, next.reject);
    }
    working = false;
  };

  const ask = async (organizationId: OrganizationId, question: Question): Promise<Answer> => {
    if (stopped) throw new ThreadStopped("the server stops");
    return await new Promise<Answer>((resolve, reject) => {
      turns.add(organizationId, { question, resolve, reject });
      void work();
    });
  };

  return {
    ask: async (organizationId, question) => await orShutdown(ask(organizationId, question)),
    stop: async () => {
      stopped = true;
      for (const { reject } of turns.takeAll()) reject(new ThreadStopped("the server stops"));
      await thread.stop();
    },
  };
};

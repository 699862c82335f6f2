import { LRUCache } from "lru-cache";

import type { OrganizationId } from "../../jobs/ids.ts";
import type { Clock } from "../../runtime/clock.ts";
import { createQuestions } from "../thread/questions.ts";
import { Overrun, QUESTION_CPU_MS } from "../thread/thread.ts";
import type { CompiledScript, ScriptLanguage } from "./compile.ts";
import type { ScriptQuestion } from "./worker.ts";

/** Parses scripts in a thread of its own, and remembers what came of them. */
export type ScriptCompiler = {
  /** @throws JobFault SHUTTING_DOWN */
  compile(
    organizationId: OrganizationId,
    source: string,
    language: ScriptLanguage,
  ): Promise<CompiledScript>;
  stop(): Promise<void>;
};

/** Characters of source and code kept for scripts that are submitted again and again. */
const KEPT_CHARACTERS = 16 * 1_048_576;

const PROGRAM = { url: new URL("./worker.ts", import.meta.url), name: "scripts" };

const tooComplicated = (message: string): CompiledScript => ({
  ok: false,
  fault: { kind: "too complicated", message },
});

/** Node's word for a parser that broke: it ran out of stack. */
const isBrokenParser = (caught: unknown): boolean =>
  caught instanceof Error && "code" in caught && caught.code === "ERR_INTERNAL_ASSERTION";

export const createScriptCompiler = (clock: Clock): ScriptCompiler => {
  const questions = createQuestions<ScriptQuestion, CompiledScript>(clock, PROGRAM);
  const kept = new LRUCache<string, CompiledScript>({
    maxSize: KEPT_CHARACTERS,
    sizeCalculation: (script, key) => key.length + 1 + (script.ok ? script.code.length : 0),
  });

  const ask = async (
    organizationId: OrganizationId,
    question: ScriptQuestion,
  ): Promise<CompiledScript> => {
    try {
      return await questions.ask(organizationId, question);
    } catch (caught) {
      if (caught instanceof Overrun) {
        return tooComplicated(
          `takes more than ${QUESTION_CPU_MS} ms of processor time, or too much memory, to be parsed`,
        );
      }
      if (isBrokenParser(caught)) return tooComplicated("is nested too deeply");
      throw caught;
    }
  };

  return {
    compile: async (organizationId, source, language) => {
      const key = `${language}\0${source}`;
      const known = kept.get(key);
      if (known !== undefined) return known;
      const compiled = await ask(organizationId, { source, language });
      kept.set(key, compiled);
      return compiled;
    },
    stop: questions.stop,
  };
};

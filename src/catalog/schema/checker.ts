import { createHash } from "node:crypto";

import { LRUCache } from "lru-cache";

import type { OrganizationId } from "../../jobs/ids.ts";
import type { JsonText } from "../../jobs/job.ts";
import type { Clock } from "../../runtime/clock.ts";
import { createQuestions } from "../thread/questions.ts";
import { Overrun, QUESTION_CPU_MS } from "../thread/thread.ts";
import type { Checkable, InputOutcome } from "./compile.ts";
import type { PathFault } from "./faults.ts";
import type { Answer, Question } from "./protocol.ts";

/**
 * JSON Schemas at work, in a thread of their own: a schema is a program of its author, and neither a
 * pattern that backtracks for hours nor a list that is compared with itself may hold up the server.
 * Holds the thread and those who wait for it.
 */
export type SchemaChecker = {
  /** Everything that keeps a schema from being used; empty if nothing does. */
  check(organizationId: OrganizationId, schema: JsonText): Promise<readonly PathFault[]>;
  /** One outcome per input, in their order. */
  validate(
    organizationId: OrganizationId,
    schema: JsonText,
    inputs: readonly Checkable[],
  ): Promise<InputOutcome[]>;
  stop(): Promise<void>;
};

/** Of one question, so that the turns of others come soon. */
const INPUTS_PER_QUESTION = 100;
const CHARACTERS_PER_QUESTION = 1_048_576;
const REMEMBERED_KEYS = 1_000;

const PROGRAM = { url: new URL("./worker.ts", import.meta.url), name: "schemas" };

/** At least one input each, and no more characters than fit unless one alone has more. */
const portions = (inputs: readonly Checkable[]): Checkable[][] => {
  const all: Checkable[][] = [];
  let last: Checkable[] = [];
  let characters = 0;
  for (const input of inputs) {
    const full =
      last.length === INPUTS_PER_QUESTION ||
      characters + input.text.length > CHARACTERS_PER_QUESTION;
    if (last.length === 0 || full) {
      last = [];
      characters = 0;
      all.push(last);
    }
    last.push(input);
    characters += input.text.length;
  }
  return all;
};

const tooExpensive = (what: string): PathFault => ({
  path: "",
  description: `${what} more than ${QUESTION_CPU_MS} ms of processor time, or too much memory.`,
});

export const createSchemaChecker = (clock: Clock): SchemaChecker => {
  const { ask, stop } = createQuestions<Question, Answer>(clock, PROGRAM);
  /** By a schema's text: hashing 256 KiB for every submission is more than all else. */
  const keys = new LRUCache<JsonText, string>({
    max: REMEMBERED_KEYS,
    maxSize: 16 * CHARACTERS_PER_QUESTION,
    sizeCalculation: (_key, schema) => schema.length,
  });
  const keyOf = (schema: JsonText): string => {
    const known = keys.get(schema);
    if (known !== undefined) return known;
    const key = createHash("sha256").update(schema).digest("hex");
    keys.set(schema, key);
    return key;
  };

  const validatePortion = async (
    organizationId: OrganizationId,
    schema: JsonText,
    inputs: readonly Checkable[],
  ): Promise<InputOutcome[]> => {
    const question = { kind: "validate" as const, key: keyOf(schema), inputs };
    try {
      let answer = await ask(organizationId, { ...question, schema: null });
      if (answer.kind === "unknown") answer = await ask(organizationId, { ...question, schema });
      if (answer.kind === "validated") return [...answer.outcomes];
      const message = answer.kind === "unusable" ? answer.message : answer.kind;
      throw new Error(`the schema of a type can no longer be used: ${message}`);
    } catch (caught) {
      if (!(caught instanceof Overrun)) throw caught;
      if (inputs.length === 1) {
        return [{ ok: false, faults: [tooExpensive("takes, to be checked by its schema,")] }];
      }
      // One of them is to blame: the others are taken without it.
      const half = Math.ceil(inputs.length / 2);
      return [
        ...(await validatePortion(organizationId, schema, inputs.slice(0, half))),
        ...(await validatePortion(organizationId, schema, inputs.slice(half))),
      ];
    }
  };

  return {
    check: async (organizationId, schema) => {
      try {
        const answer = await ask(organizationId, { kind: "check", schema });
        if (answer.kind !== "checked") throw new Error(`a schema was answered ${answer.kind}`);
        return answer.faults;
      } catch (caught) {
        if (!(caught instanceof Overrun)) throw caught;
        return [tooExpensive("takes, to be compiled and tried,")];
      }
    },
    validate: async (organizationId, schema, inputs) => {
      const outcomes = portions(inputs).map(
        async (portion) => await validatePortion(organizationId, schema, portion),
      );
      return (await Promise.all(outcomes)).flat();
    },
    stop,
  };
};

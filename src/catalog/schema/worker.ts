/**
 * The thread that compiles schemas and checks inputs against them. It holds nothing but compiled
 * schemas: whoever started it may end it at any moment, and start another.
 */
import { parentPort } from "node:worker_threads";

import { LRUCache } from "lru-cache";

import {
  type Checkable,
  type CompiledSchema,
  compileSchema,
  type InputOutcome,
  schemaFaults,
} from "./compile.ts";
import type { Answer, Question } from "./protocol.ts";

const KEPT_SCHEMAS = 500;
/** Characters of schemas; what is compiled of them takes several times as much. */
const KEPT_CHARACTERS = 8 * 1_048_576;

const compiled = new LRUCache<string, CompiledSchema>({
  max: KEPT_SCHEMAS,
  maxSize: KEPT_CHARACTERS,
});

const outcomeOf = (validate: CompiledSchema, input: Checkable): InputOutcome => {
  try {
    return validate(input);
  } catch (caught) {
    // The stack, or the longest string there can be.
    if (!(caught instanceof RangeError)) throw caught;
    const description = "is nested too deeply for the schema, or too large with its defaults.";
    return { ok: false, faults: [{ path: "", description }] };
  }
};

const answer = (question: Question): Answer => {
  if (question.kind === "check") {
    return { kind: "checked", faults: schemaFaults(question.schema) };
  }
  const { key, schema, inputs } = question;
  let validate = compiled.get(key);
  if (validate === undefined) {
    if (schema === null) return { kind: "unknown" };
    const compilation = compileSchema(schema);
    if (!compilation.ok) {
      return { kind: "unusable", message: compilation.faults[0]?.description ?? "" };
    }
    validate = compilation.validate;
    compiled.set(key, validate, { size: schema.length });
  }
  return { kind: "validated", outcomes: inputs.map((input) => outcomeOf(validate, input)) };
};

parentPort?.on("message", (question: Question) => {
  parentPort?.postMessage(answer(question));
});

import addFormats from "ajv-formats";
import {
  Ajv2020,
  type AnySchemaObject,
  type Options,
  type ValidateFunction,
} from "ajv/dist/2020.js";

import type { JsonText } from "../../jobs/job.ts";
import { LIMITS } from "../../jobs/limits.ts";
import { isNestedAtMost } from "../../jobs/nesting.ts";
import { faultsOf, type PathFault } from "./faults.ts";
import { certain, type OpenPlaces } from "./open-places.ts";

/**
 * JSON Schema 2020-12 by ajv, which makes a function of JavaScript out of a schema. Schemas come from
 * strangers: this runs in a worker that can be ended (worker.ts), never beside the server's own work.
 */
export type InputOutcome =
  /** `filled` is the input with the schema's defaults; null if it is what came. */
  | { readonly ok: true; readonly filled: JsonText | null }
  | { readonly ok: false; readonly faults: readonly PathFault[] };

/** An input, and where in it another value will stand once it is known. */
export type Checkable = { readonly text: JsonText; readonly open: OpenPlaces };

export type CompiledSchema = (input: Checkable) => InputOutcome;

export type Compilation =
  | { readonly ok: true; readonly validate: CompiledSchema }
  | { readonly ok: false; readonly faults: readonly PathFault[] };

const DIALECT = /^https?:\/\/json-schema\.org\/draft\/2020-12\/schema#?$/;

const OPTIONS: Options = {
  // What ajv does not know, or would ignore, is more often a slip than meant.
  strict: true,
  strictTypes: false,
  strictTuples: false,
  strictRequired: false,
  allErrors: true,
  verbose: true,
  useDefaults: true,
  // `required: ["toString"]` is not satisfied by what every object inherits.
  ownProperties: true,
  // Short schemas of references to references would become long code.
  inlineRefs: false,
  logger: false,
};

/** The schema of schemas; its own compilation takes about 60 ms, so it is kept. */
let meta: Ajv2020 | undefined;
const metaFaults = (schema: AnySchemaObject): PathFault[] => {
  if (meta === undefined) {
    meta = new Ajv2020({ ...OPTIONS, useDefaults: false });
    addFormats.default(meta);
  }
  if (meta.validateSchema(schema) === true) return [];
  return faultsOf(meta.errors ?? []);
};

const whole = (description: string): Compilation => ({
  ok: false,
  faults: [{ path: "", description }],
});

const LONGEST_MESSAGE = 300;

const whyNot = (caught: unknown): string => {
  if (caught instanceof RangeError) return "is nested too deeply.";
  if (!(caught instanceof Error)) throw caught;
  if ("missingRef" in caught) {
    const ref = JSON.stringify(caught.missingRef).slice(0, LONGEST_MESSAGE);
    return `refers to ${ref}, which it does not hold: nothing is fetched from elsewhere.`;
  }
  return `cannot be used: ${caught.message.replace(/^strict mode: /, "").slice(0, LONGEST_MESSAGE)}.`;
};

/**
 * At least so many bytes of JSON, or `limit` and something. Counted here and not by JSON.stringify,
 * which nothing can end before it is done: a default of 200 KiB in each of 100,000 items took 90 s.
 */
const bytesAtLeast = (value: unknown, limit: number): number => {
  if (typeof value === "string") return value.length + 2;
  if (typeof value !== "object" || value === null) return 1;
  let bytes = 2;
  for (const [key, inner] of Object.entries(value)) {
    bytes += (Array.isArray(value) ? 1 : key.length + 3) + bytesAtLeast(inner, limit - bytes);
    if (bytes > limit) break;
  }
  return bytes;
};

const filled = (value: unknown): InputOutcome => {
  if (bytesAtLeast(value, LIMITS.inputBytes) <= LIMITS.inputBytes) {
    const text = JSON.stringify(value);
    const fits = Buffer.byteLength(text) <= LIMITS.inputBytes;
    if (fits && isNestedAtMost(value, LIMITS.jsonDepth)) return { ok: true, filled: text };
  }
  const description = `must have at most ${LIMITS.inputBytes} bytes as JSON, nested at most ${LIMITS.jsonDepth} levels deep, with the defaults of the schema filled in.`;
  return { ok: false, faults: [{ path: "", description }] };
};

/** `fills`: the schema has defaults, so what comes out may differ from what came in. */
const validator =
  (validate: ValidateFunction, fills: boolean): CompiledSchema =>
  ({ text, open }) => {
    const value: unknown = JSON.parse(text);
    if (!validate(value)) {
      const errors = certain(validate.errors ?? [], open);
      if (errors.length > 0) return { ok: false, faults: faultsOf(errors) };
    }
    // With places that are open it is filled in when they are known.
    return fills && open.length === 0 ? filled(value) : { ok: true, filled: null };
  };

/** Small values of every kind: a schema that goes round in circles does so for one of them. */
const PROBES = ["null", "{}", "[]", '""', "0", "false", "[{}]"];

/** Takes a schema that was checked before. */
export const compileSchema = (text: JsonText): Compilation => {
  const schema = JSON.parse(text) as AnySchemaObject;
  // Of its own: an $id within one organization's schema is nothing to another's.
  const ajv = new Ajv2020({ ...OPTIONS, meta: false, validateSchema: false });
  addFormats.default(ajv);
  try {
    const validate = ajv.compile(schema);
    if ("$async" in validate) return whole("cannot be used: $async is no keyword of JSON Schema.");
    return { ok: true, validate: validator(validate, text.includes('"default"')) };
  } catch (caught) {
    return whole(whyNot(caught));
  }
};

/** Everything that keeps a schema from being used; empty if nothing does. */
export const schemaFaults = (text: JsonText): readonly PathFault[] => {
  const schema = JSON.parse(text) as AnySchemaObject;
  const dialect: unknown = schema["$schema"];
  if (dialect !== undefined && (typeof dialect !== "string" || !DIALECT.test(dialect))) {
    const description = "must be https://json-schema.org/draft/2020-12/schema, or left out.";
    return [{ path: "/$schema", description }];
  }
  try {
    const faults = metaFaults(schema);
    if (faults.length > 0) return faults;
    const compiled = compileSchema(text);
    if (!compiled.ok) return compiled.faults;
    for (const text of PROBES) compiled.validate({ text, open: [] });
    return [];
  } catch (caught) {
    if (!(caught instanceof RangeError)) throw caught;
    return [{ path: "", description: "refers to itself without end, or is nested too deeply." }];
  }
};

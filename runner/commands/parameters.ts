import addFormats from "ajv-formats";
import { Ajv2020, type ErrorObject, type Options, type ValidateFunction } from "ajv/dist/2020.js";

import { type InputFault, pointerStep } from "../input-faults.ts";

/**
 * The input of a command against the schema that its operator wrote. The schema is trusted, the
 * input is not: the first fault ends the check, and only a small input is searched for all of them.
 */
export type Parameters = {
  /** The input with the schema's defaults filled in, or where it does not fit. */
  take(input: string): Taken;
};

export type Taken =
  | { readonly ok: true; readonly values: Readonly<Record<string, unknown>> }
  | { readonly ok: false; readonly faults: readonly InputFault[] };

/** The schema cannot be used; the message says why. */
export class SchemaFault extends Error {
  override readonly name = "SchemaFault";
}

const OPTIONS: Options = {
  // What ajv does not know, or would ignore, is more often a slip than meant.
  strict: true,
  strictTypes: false,
  strictTuples: false,
  strictRequired: false,
  useDefaults: true,
  // `required: ["toString"]` is not satisfied by what every object inherits.
  ownProperties: true,
  logger: false,
};

/** Longer inputs are told their first fault only. */
const SEARCHED_CHARACTERS = 16 * 1024;
const MOST_FAULTS = 20;
const LONGEST = 200;

/** @throws SchemaFault */
export const compileParameters = (schema: Readonly<Record<string, unknown>>): Parameters => {
  if (schema["type"] !== "object") throw new SchemaFault("must say type: object");
  const first = compile(schema, false);
  const every = compile(schema, true);
  return {
    take: (input) => {
      const values: unknown = JSON.parse(input) ?? {};
      if (first(values)) return { ok: true, values: values as Record<string, unknown> };
      const small = input.length <= SEARCHED_CHARACTERS;
      if (small) every(JSON.parse(input) ?? {});
      return { ok: false, faults: faultsOf((small ? every.errors : first.errors) ?? []) };
    },
  };
};

/** The schema of schemas; its own compilation takes about 60 ms, so it is kept. */
let meta: Ajv2020 | undefined;

const compile = (schema: object, allErrors: boolean): ValidateFunction => {
  meta ??= new Ajv2020(OPTIONS);
  try {
    if (meta.validateSchema(schema) !== true) throw new Error(meta.errorsText());
    // Of its own: an $id within one command's schema is nothing to another's.
    const ajv = new Ajv2020({ ...OPTIONS, allErrors, meta: false, validateSchema: false });
    addFormats.default(ajv);
    const validate = ajv.compile(schema);
    if (!("$async" in validate)) return validate;
  } catch (cause) {
    const why = cause instanceof Error ? cause.message : String(cause);
    throw new SchemaFault(`is no JSON Schema that can be used: ${why}`, { cause });
  }
  throw new SchemaFault("is no JSON Schema that can be used: $async is no keyword of it");
};

const cut = (text: string): string =>
  text.length <= LONGEST ? text : `${text.slice(0, LONGEST - 1)}…`.toWellFormed();

const faultOf = ({ keyword, params, message, instancePath }: ErrorObject): InputFault => {
  const at = (name: unknown, description: string): InputFault => ({
    path: cut(`${instancePath}${pointerStep(name)}`),
    description,
  });
  switch (keyword) {
    case "required":
    case "dependentRequired":
      return at(params["missingProperty"], "is missing.");
    case "additionalProperties":
      return at(params["additionalProperty"], "is not a known parameter.");
    case "unevaluatedProperties":
      return at(params["unevaluatedProperty"], "is not a known parameter.");
    case "enum":
      return {
        path: cut(instancePath),
        description: cut(`must be one of ${JSON.stringify(params["allowedValues"])}.`),
      };
    default:
      return { path: cut(instancePath), description: `${cut(message ?? `breaks ${keyword}`)}.` };
  }
};

const faultsOf = (errors: readonly ErrorObject[]): readonly InputFault[] =>
  errors.slice(0, MOST_FAULTS).map(faultOf);

import type { ErrorObject } from "ajv/dist/2020.js";

/** Where a value breaks its schema: a JSON Pointer (RFC 6901), empty for the whole of it. */
export type PathFault = { readonly path: string; readonly description: string };

export const MAX_FAULTS = 50;
const LONGEST_PATH = 300;
const LONGEST_DESCRIPTION = 300;
const LONGEST_VALUE = 60;

const cut = (text: string, length: number): string =>
  text.length <= length ? text : `${text.slice(0, length - 1)}…`.toWellFormed();

const shown = (value: unknown): string => {
  if (Array.isArray(value)) return "an array";
  if (typeof value === "object" && value !== null) return "an object";
  return cut(JSON.stringify(value) ?? "nothing", LONGEST_VALUE);
};

const listed = (values: readonly unknown[]): string => values.map(shown).join(", ");

/** One step of a JSON Pointer. */
const step = (name: unknown): string =>
  `/${String(name).replaceAll("~", "~0").replaceAll("/", "~1")}`;

const told = ({ keyword, params, message, data }: ErrorObject): string => {
  switch (keyword) {
    case "enum":
      return `must be one of ${cut(listed(params["allowedValues"] as unknown[]), 200)}; it is ${shown(data)}.`;
    case "const":
      return `must be ${shown(params["allowedValue"])}; it is ${shown(data)}.`;
    case "false schema":
      return "must not be there.";
    case "propertyNames":
      return `has a name that is not allowed: ${shown(params["propertyName"])}.`;
    case "dependentRequired":
    case "dependencies":
      return `is missing: ${shown(params["property"])} needs it.`;
    default: {
      const it = typeof data === "object" && data !== null ? "" : `; it is ${shown(data)}`;
      return `${message ?? `breaks ${keyword}`}${keyword === "type" ? `; it is ${shown(data)}` : it}.`;
    }
  }
};

/** A fault of a property that is missing, or one too many, is told at that property. */
const faultOf = (error: ErrorObject): PathFault => {
  const { instancePath, keyword, params } = error;
  const at = (name: unknown, description: string): PathFault => ({
    path: cut(`${instancePath}${step(name)}`, LONGEST_PATH),
    description: cut(description, LONGEST_DESCRIPTION),
  });
  if (keyword === "required") return at(params["missingProperty"], "is missing.");
  if (keyword === "dependentRequired" || keyword === "dependencies") {
    return at(params["missingProperty"], told(error));
  }
  if (keyword === "additionalProperties") {
    return at(params["additionalProperty"], "is not a known property.");
  }
  if (keyword === "unevaluatedProperties") {
    return at(params["unevaluatedProperty"], "is not a known property.");
  }
  return {
    path: cut(instancePath, LONGEST_PATH),
    description: cut(told(error), LONGEST_DESCRIPTION),
  };
};

/** The first 50, each once. */
export const faultsOf = (errors: readonly ErrorObject[]): PathFault[] => {
  const faults = new Map<string, PathFault>();
  for (const error of errors) {
    if (faults.size === MAX_FAULTS) break;
    const fault = faultOf(error);
    faults.set(`${fault.path}\0${fault.description}`, fault);
  }
  return [...faults.values()];
};

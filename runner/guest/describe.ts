import { codeOf } from "./bridge.ts";
import { DYNAMIC_IMPORT, isDynamicImport } from "./dynamic-import.ts";
import { indexOfText, sliceText, toText } from "./primordials.ts";
import { authorStack } from "./stack.ts";

/** How a failure crosses to the host. */
export type Described = {
  readonly code: string;
  readonly message: string;
  readonly stack: string;
  readonly retryable: boolean | null;
};

const LONGEST = 8_192;

/**
 * Reading a thrown value runs the script's own getters: they may throw (then a placeholder stands
 * in), or never return (then the host's CPU limit ends it).
 */
const read = (value: object, key: string): unknown => {
  try {
    return (value as Record<string, unknown>)[key];
  } catch {
    return undefined;
  }
};

const text = (value: unknown): string => {
  try {
    return sliceText(toText(value), 0, LONGEST);
  } catch {
    return "(cannot be shown)";
  }
};

const isObject = (value: unknown): value is object =>
  (typeof value === "object" && value !== null) || typeof value === "function";

/** Ends also a chain that is a circle. */
const MOST_CAUSES = 5;

/** A stack that names no place says nothing that the message does not. */
const framesOf = (thrown: object, fileName: string): string => {
  const stack = read(thrown, "stack");
  if (typeof stack !== "string") return "";
  // A script may have made it a megabyte: cut before looking at its lines.
  const own = authorStack(sliceText(stack, 0, LONGEST), fileName);
  return indexOfText(own, "\n    at ") === -1 ? "" : own;
};

const headOf = (thrown: object): string => {
  const name = text(read(thrown, "name") ?? "");
  const message = text(read(thrown, "message") ?? "");
  if (name === "" && message === "") return text(thrown);
  return name === "" || message === "" ? `${name}${message}` : `${name}: ${message}`;
};

const causesOf = (thrown: object, fileName: string): string => {
  let told = "";
  let cause = read(thrown, "cause");
  for (let depth = 0; depth < MOST_CAUSES && cause !== undefined; depth++) {
    if (!isObject(cause)) return `${told}\nCaused by: ${text(cause)}`;
    const frames = framesOf(cause, fileName);
    told += `\nCaused by: ${frames === "" ? headOf(cause) : frames}`;
    cause = read(cause, "cause");
  }
  return told;
};

/** A stack in the author's own text, and those of its causes; empty if there is nothing to tell. */
const stackOf = (thrown: object, fileName: string): string => {
  const own = framesOf(thrown, fileName);
  const causes = causesOf(thrown, fileName);
  if (causes === "") return own;
  return sliceText(`${own === "" ? headOf(thrown) : own}${causes}`, 0, LONGEST);
};

/** An error as the console shows it. */
export const errorText = (error: object, fileName: string): string => {
  const told = stackOf(error, fileName);
  return told === "" ? headOf(error) : told;
};

const describeObject = (thrown: object, fileName: string): Described => {
  const name = text(read(thrown, "name") ?? "");
  const message = read(thrown, "message");
  const said = message === undefined ? text(thrown) : text(message);
  const dynamicImport = isDynamicImport(said);
  const own = dynamicImport ? DYNAMIC_IMPORT.message : said;
  const retryable = read(thrown, "retryable");
  const plain = name === "" || name === "Error" || message === undefined;
  return {
    code: codeOf(thrown) ?? (dynamicImport ? DYNAMIC_IMPORT.code : "script.threw"),
    message: sliceText(plain ? own : `${name}: ${own}`, 0, LONGEST),
    stack: stackOf(thrown, fileName),
    retryable: typeof retryable === "boolean" ? retryable : null,
  };
};

/** A thrown value as code, message and stack of at most 8 Ki characters each. */
export const describe = (thrown: unknown, fileName: string): Described =>
  isObject(thrown)
    ? describeObject(thrown, fileName)
    : { code: "script.threw", message: text(thrown), stack: "", retryable: null };

import { DYNAMIC_IMPORT, isDynamicImport } from "../guest/dynamic-import.ts";
import { authorStack } from "../guest/stack.ts";
import { LoadRefused } from "./load.ts";

/** A failure that the child saw from outside of the script's own code. */
export type Fault = {
  readonly code: string;
  readonly message: string;
  readonly stack: string;
  readonly retryable: boolean | null;
};

const LONGEST = 8_192;

const cut = (text: string): string => text.slice(0, LONGEST);

const textOf = (thrown: unknown, key: "name" | "message" | "stack"): string => {
  if (typeof thrown !== "object" || thrown === null) return "";
  const value: unknown = Reflect.get(thrown, key);
  return typeof value === "string" ? cut(value) : "";
};

/** V8 puts the place of a syntax error behind the message: `Unexpected token ';' [script.ts:1:11]`. */
const PLACE = / \[([^\]\s]+:\d+:\d+)\]$/;

/** Why the script in `fileName`, or what it imports, could not be compiled or linked. */
export const loadFault = (thrown: unknown, fileName: string): Fault => {
  if (thrown instanceof LoadRefused) {
    const { code, message } = thrown;
    return { code, message: cut(message), stack: "", retryable: null };
  }
  const message = textOf(thrown, "message");
  const place = PLACE.exec(message)?.[1] ?? "";
  const file = place.replace(/:\d+:\d+$/, "");
  const where = file === "" || file === fileName ? "" : ` in ${file}`;
  return {
    code: "script.syntax",
    message: `SyntaxError: ${message.replace(PLACE, "")}${where}`,
    stack: place === "" ? "" : `    at ${place}`,
    retryable: false,
  };
};

/** What a script threw where nothing of ours could catch it: at the top level, or unhandled. */
export const escapedFault = (thrown: unknown, fileName: string): Fault => {
  const name = textOf(thrown, "name");
  const message = textOf(thrown, "message");
  const stack = authorStack(textOf(thrown, "stack"), fileName);
  if (isDynamicImport(message)) return { ...DYNAMIC_IMPORT, stack, retryable: null };
  const own = typeof thrown === "object" && thrown !== null ? message : cut(String(thrown));
  return {
    code: "script.threw",
    message: name === "" || name === "Error" ? own : cut(`${name}: ${own}`),
    stack,
    retryable: null,
  };
};

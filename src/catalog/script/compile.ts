import { createHash } from "node:crypto";
import { stripTypeScriptTypes } from "node:module";

import type { ScriptHash } from "../../jobs/ids.ts";
import type { ScriptRow } from "../../jobs/job.ts";

export type ScriptLanguage = ScriptRow["language"];

/** Where the author's text is not what it says it is. Lines and columns count from 1. */
export type ScriptFault =
  | {
      readonly kind: "syntax";
      readonly message: string;
      readonly line: number | null;
      readonly column: number | null;
    }
  /** Nobody can say what it is. */
  | { readonly kind: "too complicated"; readonly message: string };

export type CompiledScript =
  | { readonly ok: true; readonly hash: ScriptHash; readonly code: string }
  | { readonly ok: false; readonly fault: ScriptFault };

/** The same text in another language is another script. */
export const hashScript = (source: string, language: ScriptLanguage): ScriptHash =>
  createHash("sha256").update(`${language}\0`).update(source).digest("hex") as ScriptHash;

/** Node writes `:<line>`, the line itself, and carets below the place, at the top of the stack. */
const placeOf = (
  stack: string,
): { readonly line: number | null; readonly column: number | null } => {
  const line = /^:(\d+)$/m.exec(stack)?.[1];
  const carets = /^( *)\^+ *$/m.exec(stack)?.[1];
  return {
    line: line === undefined ? null : Number(line),
    column: carets === undefined ? null : carets.length + 1,
  };
};

/** What Node says of an enum, a namespace, a parameter property. */
const STRIPPED_ONLY = / is not supported in strip-only mode$/;
const NOT_COMPILED = " is not available: types are taken away, and nothing is compiled";

/**
 * Parses without running, and takes types away so that every line and column stays where it was.
 * JavaScript goes through the same parser, for its errors alone: its text is not touched.
 *
 * The parser is WebAssembly. A text that is nested too deeply for it breaks it for good, and there
 * are short ones that it would parse for years: of strangers' texts it is used in a thread that can
 * be ended (worker.ts). @throws what says that the parser is broken
 */
export const compileScript = (source: string, language: ScriptLanguage): CompiledScript => {
  try {
    const stripped = stripTypeScriptTypes(source);
    const code = language === "TYPESCRIPT" ? stripped : source;
    return { ok: true, hash: hashScript(source, language), code };
  } catch (caught) {
    if (!(caught instanceof SyntaxError)) throw caught;
    const { stack } = caught;
    const message = caught.message.replace(STRIPPED_ONLY, NOT_COMPILED);
    return { ok: false, fault: { kind: "syntax", message, ...placeOf(stack ?? "") } };
  }
};

import { createHash } from "node:crypto";
import { stripTypeScriptTypes } from "node:module";

import { LRUCache } from "lru-cache";

import type { ScriptHash } from "../jobs/ids.ts";
import type { ScriptRow } from "../jobs/job.ts";

export type ScriptLanguage = ScriptRow["language"];

/** Where the author's text is not what it says it is. Lines and columns count from 1. */
export type SyntaxFault = {
  readonly message: string;
  readonly line: number | null;
  readonly column: number | null;
};

export type CompiledScript =
  | { readonly ok: true; readonly hash: ScriptHash; readonly code: string }
  | { readonly ok: false; readonly fault: SyntaxFault };

export type ScriptCompiler = (source: string, language: ScriptLanguage) => CompiledScript;

/** The same text in another language is another script. */
export const hashScript = (source: string, language: ScriptLanguage): ScriptHash =>
  createHash("sha256").update(`${language}\0`).update(source).digest("hex") as ScriptHash;

/** Node writes `:<line>`, the line itself, and carets below the place, at the top of the stack. */
const placeOf = (stack: string): Pick<SyntaxFault, "line" | "column"> => {
  const line = /^:(\d+)$/m.exec(stack)?.[1];
  const carets = /^( *)\^+ *$/m.exec(stack)?.[1];
  return {
    line: line === undefined ? null : Number(line),
    column: carets === undefined ? null : carets.length + 1,
  };
};

/**
 * Parses without running, and takes types away so that every line and column stays where it was.
 * JavaScript goes through the same parser, for its errors alone: its text is not touched.
 */
const compile: ScriptCompiler = (source, language) => {
  try {
    const stripped = stripTypeScriptTypes(source);
    const code = language === "TYPESCRIPT" ? stripped : source;
    return { ok: true, hash: hashScript(source, language), code };
  } catch (caught) {
    if (!(caught instanceof SyntaxError)) throw caught;
    return { ok: false, fault: { message: caught.message, ...placeOf(caught.stack ?? "") } };
  }
};

/** Characters of source and code kept for scripts that are submitted again and again. */
const KEPT_CHARACTERS = 16 * 1_048_576;

export const createScriptCompiler = (): ScriptCompiler => {
  const kept = new LRUCache<string, CompiledScript>({
    maxSize: KEPT_CHARACTERS,
    sizeCalculation: (script, key) => key.length + 1 + (script.ok ? script.code.length : 0),
  });
  return (source, language) => {
    const key = `${language}\0${source}`;
    const known = kept.get(key);
    if (known !== undefined) return known;
    const compiled = compile(source, language);
    kept.set(key, compiled);
    return compiled;
  };
};

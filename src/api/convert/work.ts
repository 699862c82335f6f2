import { isTypeName, type KnownType } from "../../catalog/job-type.ts";
import type { CompiledScript, ScriptFault, ScriptLanguage } from "../../catalog/script/compile.ts";
import {
  type JobSpec,
  type Script,
  ScriptLanguage as WireLanguage,
  ScriptLanguageSchema,
} from "../../gen/millrace/v1/job_pb.ts";
import { type Capability, SCRIPT, type ScriptHash } from "../../jobs/ids.ts";
import type { ScriptRow } from "../../jobs/job.ts";
import { LIMITS } from "../../jobs/limits.ts";
import type { Faults } from "./faults.ts";
import { isKnown } from "./fields.ts";

/** What is to run. */
export type Work = {
  /** Empty for a script. */
  readonly type: string;
  /** 0 for a script. */
  readonly typeVersion: number;
  readonly capability: Capability;
  /** Empty if it is no script. */
  readonly scriptHash: ScriptHash | "";
  /** An inline script, which may have to be stored. */
  readonly script: Pick<ScriptRow, "hash" | "language" | "source" | "code"> | null;
};

const NO_WORK: Work = {
  type: "",
  typeVersion: 0,
  capability: SCRIPT,
  scriptHash: "",
  script: null,
};

/** What is known of scripts beforehand: the conversion does no waiting. */
export type Compiled = (source: string, language: ScriptLanguage) => CompiledScript;

/** Why a text is not worth parsing; null if it is. */
const faultOfText = (source: string): string | null => {
  const bytes = Buffer.byteLength(source);
  if (source.trim() === "") return "must not be empty.";
  if (bytes > LIMITS.scriptBytes) {
    return `must have at most ${LIMITS.scriptBytes} bytes; it has ${bytes}.`;
  }
  if (!source.isWellFormed()) {
    return "must be well-formed Unicode; it has half of a surrogate pair.";
  }
  return null;
};

const languageOf = (language: WireLanguage): ScriptLanguage =>
  language === WireLanguage.TYPESCRIPT ? "TYPESCRIPT" : "JAVASCRIPT";

type GivenScript = Pick<Script, "source" | "language">;

/** The same scripts, ready for `checkScript`: each that may be parsed is, once. */
export const compileAhead = async (
  scripts: readonly GivenScript[],
  compile: (source: string, language: ScriptLanguage) => Promise<CompiledScript>,
): Promise<Compiled> => {
  const keyOf = (source: string, language: ScriptLanguage): string => `${language} ${source}`;
  const wanted = new Map(
    scripts
      .filter(({ source }) => faultOfText(source) === null)
      .map(({ source, language }) => {
        const known = languageOf(language);
        return [keyOf(source, known), { source, language: known }] as const;
      }),
  );
  const compiled = new Map(
    await Promise.all(
      [...wanted].map(
        async ([key, { source, language }]) => [key, await compile(source, language)] as const,
      ),
    ),
  );
  return (source, language) => {
    const found = compiled.get(keyOf(source, language));
    if (found === undefined) throw new Error("a script was not compiled beforehand");
    return found;
  };
};

const described = (fault: ScriptFault): string => {
  if (fault.kind === "too complicated") return `${fault.message}.`;
  const { line, column, message } = fault;
  const place =
    line === null ? "" : ` at line ${line}${column === null ? "" : `, column ${column}`}`;
  return `has a syntax error${place}: ${message}.`;
};

/** Null where a fault was noted. `faults` speaks of the message that holds the script. */
export const checkScript = (
  faults: Faults,
  { source, language: wireLanguage }: GivenScript,
  compile: Compiled,
): Work["script"] => {
  if (!isKnown(ScriptLanguageSchema, wireLanguage)) {
    faults.add("script.language", `must be JAVASCRIPT or TYPESCRIPT; it is ${wireLanguage}.`);
    return null;
  }
  const language = languageOf(wireLanguage);
  const fault = faultOfText(source);
  if (fault !== null) {
    faults.add("script.source", fault);
    return null;
  }
  const compiled = compile(source, language);
  if (!compiled.ok) {
    faults.add("script.source", described(compiled.fault));
    return null;
  }
  const { hash, code } = compiled;
  return { hash, language, source, code };
};

/** `faults` speaks of the field's message. */
export const checkTypeName = (faults: Faults, field: string, name: string): string => {
  if (!isTypeName(name)) {
    faults.add(
      field,
      `must be 1 to ${LIMITS.typeLength} of A-Z a-z 0-9 . _ -; it is ${JSON.stringify(name.slice(0, 120))}.`,
    );
  }
  return name;
};

/** `type` is what the catalog knows of the type that the spec names. `faults` speaks of the spec. */
export const checkWork = (
  faults: Faults,
  spec: JobSpec,
  compile: Compiled,
  type: KnownType | null,
): Work => {
  const { typeVersion } = spec;
  if (typeVersion < 0) faults.add("type_version", `must be 0 or more; it is ${typeVersion}.`);
  switch (spec.work.case) {
    case "script": {
      if (typeVersion > 0) {
        faults.add("type_version", `must be 0 with a script; it is ${typeVersion}.`);
      }
      const script = checkScript(faults, spec.work.value, compile);
      return { ...NO_WORK, script, scriptHash: script?.hash ?? "" };
    }
    case "type": {
      checkTypeName(faults, "type", spec.work.value);
      if (type === null) return NO_WORK;
      const { name, version, capability, scriptHash } = type;
      return { type: name, typeVersion: version, capability, scriptHash, script: null };
    }
    case undefined:
      faults.add("work", "is missing: give `type` or `script`.");
      return NO_WORK;
  }
};

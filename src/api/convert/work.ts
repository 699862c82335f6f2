import { isTypeName, type KnownType } from "../../catalog/job-type.ts";
import type { ScriptCompiler, ScriptLanguage } from "../../catalog/script.ts";
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

/** Null where a fault was noted. `faults` speaks of the message that holds the script. */
export const checkScript = (
  faults: Faults,
  { source, language: wireLanguage }: Pick<Script, "source" | "language">,
  compile: ScriptCompiler,
): Work["script"] => {
  if (!isKnown(ScriptLanguageSchema, wireLanguage)) {
    faults.add("script.language", `must be JAVASCRIPT or TYPESCRIPT; it is ${wireLanguage}.`);
    return null;
  }
  const language: ScriptLanguage =
    wireLanguage === WireLanguage.TYPESCRIPT ? "TYPESCRIPT" : "JAVASCRIPT";
  const bytes = Buffer.byteLength(source);
  if (source.trim() === "") faults.add("script.source", "must not be empty.");
  else if (bytes > LIMITS.scriptBytes) {
    faults.add("script.source", `must have at most ${LIMITS.scriptBytes} bytes; it has ${bytes}.`);
  } else if (!source.isWellFormed()) {
    faults.add("script.source", "must be well-formed Unicode; it has half of a surrogate pair.");
  } else {
    const compiled = compile(source, language);
    if (compiled.ok) {
      const { hash, code } = compiled;
      return { hash, language, source, code };
    }
    const { line, column, message } = compiled.fault;
    const place =
      line === null ? "" : ` at line ${line}${column === null ? "" : `, column ${column}`}`;
    faults.add("script.source", `has a syntax error${place}: ${message}.`);
  }
  return null;
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
  compile: ScriptCompiler,
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

import type { ScriptCompiler, ScriptLanguage } from "../../catalog/script.ts";
import {
  type JobSpec,
  ScriptLanguage as WireLanguage,
  ScriptLanguageSchema,
} from "../../gen/millrace/v1/job_pb.ts";
import { type Capability, SCRIPT } from "../../jobs/ids.ts";
import type { ScriptRow } from "../../jobs/job.ts";
import { LIMITS } from "../../jobs/limits.ts";
import type { Faults } from "./faults.ts";
import { isKnown } from "./fields.ts";

/** What is to run. */
export type Work = {
  /** Empty for a script. */
  readonly type: string;
  readonly capability: Capability;
  readonly script: Pick<ScriptRow, "hash" | "language" | "source" | "code"> | null;
};

const TYPE = /^[A-Za-z0-9._-]+$/;

const NO_WORK: Work = { type: "", capability: SCRIPT, script: null };

const scriptWork = (
  faults: Faults,
  { source, language: wireLanguage }: { readonly source: string; readonly language: WireLanguage },
  compile: ScriptCompiler,
): Work => {
  if (!isKnown(ScriptLanguageSchema, wireLanguage)) {
    faults.add("script.language", `must be JAVASCRIPT or TYPESCRIPT; it is ${wireLanguage}.`);
    return NO_WORK;
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
      return { ...NO_WORK, script: { hash, language, source, code } };
    }
    const { line, column, message } = compiled.fault;
    const place =
      line === null ? "" : ` at line ${line}${column === null ? "" : `, column ${column}`}`;
    faults.add("script.source", `has a syntax error${place}: ${message}.`);
  }
  return NO_WORK;
};

/** `faults` speaks of the fields of the spec. */
export const checkWork = (faults: Faults, spec: JobSpec, compile: ScriptCompiler): Work => {
  switch (spec.work.case) {
    case "script":
      return scriptWork(faults, spec.work.value, compile);
    case "type": {
      const type = spec.work.value;
      if (type.length > LIMITS.typeLength || !TYPE.test(type)) {
        faults.add(
          "type",
          `must be 1 to ${LIMITS.typeLength} of A-Z a-z 0-9 . _ -; it is ${JSON.stringify(type.slice(0, 120))}.`,
        );
      }
      return { type, capability: `handler:${type}` as Capability, script: null };
    }
    case undefined:
      faults.add("work", "is missing: give `type` or `script`.");
      return NO_WORK;
  }
};

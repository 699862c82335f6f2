import type { OutputLine } from "../../gen/millrace/internal/v1/job_update_service_pb.ts";
import type { StepResult as WireStep } from "../../gen/millrace/internal/v1/runner_service_pb.ts";
import {
  type JobError as WireError,
  OutputStream as WireStream,
  type Progress as WireProgress,
} from "../../gen/millrace/v1/job_pb.ts";
import {
  type JobError,
  type JsonText,
  OUTPUT_STREAMS,
  type OutputStream,
  type Progress,
} from "../../jobs/job.ts";
import { KIB, LIMITS } from "../../jobs/limits.ts";
import type { AttemptReport } from "../../jobs/report.ts";
import type { Faults } from "../convert/faults.ts";
import { numberWithin, text } from "../convert/fields.ts";
import { isFiniteThroughout, isNestedAtMost, parsedJson } from "../convert/json-value.ts";

/** The fields that reports have in common, whoever makes them. */
const MAX_STEPS = 1_000_000;
const ERROR_CODE_LENGTH = 100;

const bytesAtMost = (faults: Faults, field: string, value: string, max: number): string => {
  const bytes = Buffer.byteLength(value);
  if (bytes > max) faults.add(field, `must have at most ${max} bytes; it has ${bytes}.`);
  return value;
};

export const toProgress = (faults: Faults, given: WireProgress): Progress => ({
  fraction: numberWithin(faults, "fraction", given.fraction, { min: 0, max: 1 }),
  message: text(faults, "message", given.message, LIMITS.progressMessageLength),
  currentStep: numberWithin(faults, "current_step", given.currentStep, { min: 0, max: MAX_STEPS }),
  totalSteps: numberWithin(faults, "total_steps", given.totalSteps, { min: 0, max: MAX_STEPS }),
});

const stream = (faults: Faults, field: string, given: WireStream): OutputStream => {
  const known = OUTPUT_STREAMS.find((name) => WireStream[name] === given);
  if (known !== undefined) return known;
  faults.add(field, `must be STDOUT, STDERR or LOG; it is ${given}.`);
  return "LOG";
};

export const toOutput = (faults: Faults, lines: readonly OutputLine[]): AttemptReport["output"] => {
  if (lines.length > LIMITS.outputLinesPerUpdate) {
    faults.add(
      "output",
      `must be at most ${LIMITS.outputLinesPerUpdate}; there are ${lines.length}.`,
    );
    return [];
  }
  return lines.map((line, index) => ({
    stream: stream(faults, `output[${index}].stream`, line.stream),
    text: bytesAtMost(faults, `output[${index}].text`, line.text, LIMITS.outputLineBytes),
  }));
};

const isStepName = (name: string): boolean => name !== "" && name.length <= LIMITS.stepNameLength;

export const toSteps = (faults: Faults, steps: readonly WireStep[]): AttemptReport["steps"] => {
  if (steps.length > LIMITS.stepsPerUpdate) {
    faults.add("steps", `must be at most ${LIMITS.stepsPerUpdate}; there are ${steps.length}.`);
    return [];
  }
  return steps.map(({ name, resultJson }, index) => {
    const at = `steps[${index}].`;
    if (!isStepName(name)) {
      faults.add(
        `${at}name`,
        `must have 1 to ${LIMITS.stepNameLength} characters; it has ${name.length}.`,
      );
    }
    bytesAtMost(faults, `${at}result_json`, resultJson, LIMITS.stepResultBytes);
    const value = parsedJson(resultJson);
    if (value === undefined) faults.add(`${at}result_json`, "must be one JSON value.");
    return { name, result: resultJson };
  });
};

/** `faults` speaks of the fields of the error. */
export const toError = (faults: Faults, given: WireError): JobError => {
  const { code, message, stack, retryable } = given;
  if (code === "") faults.add("code", "is missing.");
  text(faults, "code", code, ERROR_CODE_LENGTH);
  bytesAtMost(faults, "message", message, LIMITS.errorMessageBytes);
  bytesAtMost(faults, "stack", stack, 8 * KIB);
  return { code, message, stack, retryable };
};

/** A result as it came, which is the JSON text of `value`: deeper ones reach no client. */
export const toResult = (
  faults: Faults,
  field: string,
  json: JsonText,
  value: unknown,
): JsonText => {
  bytesAtMost(faults, field, json, LIMITS.resultBytes);
  if (!isNestedAtMost(value, LIMITS.jsonDepth)) {
    faults.add(field, `must be nested at most ${LIMITS.jsonDepth} levels deep; it is deeper.`);
  } else if (!isFiniteThroughout(value)) {
    faults.add(field, "must hold no number beyond 1.8e308; it does.");
  }
  return json;
};

export const toSeq = (faults: Faults, seq: bigint): number =>
  numberWithin(faults, "seq", Number(seq), { min: 1, max: Number.MAX_SAFE_INTEGER });

import type { Duration } from "@bufbuild/protobuf/wkt";

import type {
  Ending as WireEnding,
  JobUpdate,
} from "../../gen/millrace/internal/v1/job_update_service_pb.ts";
import {
  OutputStream as WireStream,
  type Progress as WireProgress,
} from "../../gen/millrace/v1/job_pb.ts";
import { OUTPUT_STREAMS, type OutputStream, type Progress } from "../../jobs/job.ts";
import { KIB, LIMITS } from "../../jobs/limits.ts";
import type { AttemptReport, Ending } from "../../jobs/report.ts";
import { collectFaults, type Faults } from "../convert/faults.ts";
import { durationWithin, numberWithin, text } from "../convert/fields.ts";
import { isJson } from "../convert/json-value.ts";
import { fromWireRef } from "./attempt-ref.ts";

const MAX_STEPS = 1_000_000;
const ERROR_CODE_LENGTH = 100;
/** A year; what an attempt used is told, not limited, here. */
const CPU_MS = { min: 0, max: 366 * 86_400_000 } as const;

const bytesAtMost = (faults: Faults, field: string, value: string, max: number): string => {
  const bytes = Buffer.byteLength(value);
  if (bytes > max) faults.add(field, `must have at most ${max} bytes; it has ${bytes}.`);
  return value;
};

const progress = (faults: Faults, given: WireProgress): Progress => ({
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

const output = (faults: Faults, { output: lines }: JobUpdate): AttemptReport["output"] => {
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

const used = (
  faults: Faults,
  {
    cpuTime,
    peakMemoryBytes,
  }: { readonly cpuTime?: Duration | undefined; readonly peakMemoryBytes: bigint },
) => ({
  cpuMs: durationWithin(faults, "cpu_time", cpuTime, CPU_MS, 0),
  peakMemoryBytes: numberWithin(faults, "peak_memory_bytes", Number(peakMemoryBytes), {
    min: 0,
    max: 1_024 ** 4,
  }),
});

const ending = (faults: Faults, given: WireEnding): Ending => {
  const usage = used(faults, given);
  switch (given.ending.case) {
    case "resultJson": {
      const result = bytesAtMost(faults, "result_json", given.ending.value, LIMITS.resultBytes);
      if (!isJson(result)) faults.add("result_json", "must be one JSON value.");
      return { kind: "succeeded", result, ...usage };
    }
    case "error": {
      const { code, message, stack, retryable } = given.ending.value;
      const within = faults.inside("error.");
      if (code === "") within.add("code", "is missing.");
      text(within, "code", code, ERROR_CODE_LENGTH);
      bytesAtMost(within, "message", message, LIMITS.errorMessageBytes);
      bytesAtMost(within, "stack", stack, 8 * KIB);
      return { kind: "failed", error: { code, message, stack, retryable }, ...usage };
    }
    case "cancelled":
      return { kind: "cancelled", ...usage };
    case undefined:
      faults.add("ending", "is missing: give `result_json`, `error` or `cancelled`.");
      return { kind: "cancelled", ...usage };
  }
};

/**
 * One report as the owner takes it.
 * @throws JobFault INVALID_ARGUMENT with paths that begin with `at`
 */
export const toReport = (update: JobUpdate, at: string): AttemptReport => {
  const faults = collectFaults(at);
  if (update.attempt === undefined) faults.add("attempt", "is missing.");
  const report = {
    seq: numberWithin(faults, "seq", Number(update.seq), { min: 1, max: Number.MAX_SAFE_INTEGER }),
    progress:
      update.progress === undefined ? null : progress(faults.inside("progress."), update.progress),
    output: output(faults, update),
    ending: update.ending === undefined ? null : ending(faults.inside("ending."), update.ending),
  };
  faults.throwIfAny();
  if (update.attempt === undefined) throw new Error("a fault was not thrown");
  return { ref: fromWireRef(update.attempt), ...report };
};

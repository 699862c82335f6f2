import type { Duration } from "@bufbuild/protobuf/wkt";

import type {
  Ending as WireEnding,
  JobUpdate,
} from "../../gen/millrace/internal/v1/job_update_service_pb.ts";
import { isId } from "../../jobs/ids.ts";
import type { AttemptReport, Ending } from "../../jobs/report.ts";
import { collectFaults, type Faults } from "../convert/faults.ts";
import { durationWithin, numberWithin } from "../convert/fields.ts";
import { parsedJson } from "../convert/json-value.ts";
import { fromWireRef } from "./attempt-ref.ts";
import { toError, toOutput, toProgress, toResult, toSeq, toSteps } from "./report-fields.ts";

/** A year; what an attempt used is told, not limited, here. */
const CPU_MS = { min: 0, max: 366 * 86_400_000 } as const;

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
      const json = given.ending.value;
      const value = parsedJson(json);
      if (value === undefined) faults.add("result_json", "must be one JSON value.");
      return { kind: "succeeded", result: toResult(faults, "result_json", json, value), ...usage };
    }
    case "error": {
      const error = toError(faults.inside("error."), given.ending.value);
      return { kind: "failed", error, ...usage };
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
  for (const [field, id] of [
    ["attempt.organization_id", update.attempt?.organizationId],
    ["attempt.job_id", update.attempt?.jobId],
  ] as const) {
    if (id !== undefined && !isId(id))
      faults.add(field, "must be an id: 1 to 36 ASCII characters.");
  }
  const report = {
    seq: toSeq(faults, update.seq),
    progress:
      update.progress === undefined
        ? null
        : toProgress(faults.inside("progress."), update.progress),
    output: toOutput(faults, update.output),
    steps: toSteps(faults, update.steps),
    ending: update.ending === undefined ? null : ending(faults.inside("ending."), update.ending),
  };
  faults.throwIfAny();
  if (update.attempt === undefined) throw new Error("a fault was not thrown");
  return { ref: fromWireRef(update.attempt), ...report };
};

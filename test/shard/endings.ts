import { refOf } from "../../src/shard/commands/reconcile.ts";
import { report } from "../../src/shard/commands/report.ts";
import type { Placement } from "../../src/shard/scheduler.ts";
import type { Ending } from "../../src/jobs/report.ts";

let seq = 0;

/** The runner of a placed attempt reports its end. */
export const endOf = ({ job }: Placement, ending: Ending) => {
  const ref = refOf(job);
  if (ref === null) throw new Error("not started");
  return report([{ ref, seq: (seq += 1), progress: null, output: [], steps: [], ending }]);
};

export const succeeded = (cpuMs = 0): Ending => ({
  kind: "succeeded",
  result: "1",
  cpuMs,
  peakMemoryBytes: 0,
});

export const failedWith = (code: string): Ending => ({
  kind: "failed",
  error: { code, message: "", stack: "", retryable: false },
  cpuMs: 0,
  peakMemoryBytes: 0,
});

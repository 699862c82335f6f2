import { systemRandom } from "../../src/runtime/random.ts";
import { row, type Row } from "./access-row.ts";
import { later } from "./access-world.ts";

let seq = 0n;
const nextSeq = (): bigint => {
  seq += 1n;
  return seq;
};

/** The methods of the internal listener. */
export const INTERNAL_ROWS: Readonly<Record<string, Row>> = {
  "millrace.internal.v1.RunnerService/Sync": row([], "x x x x x x . x x x", () => ({
    runnerId: systemRandom.uuid(),
    immediate: true,
  })),
  "millrace.internal.v1.RunnerService/GetScript": row(
    [],
    "x x x x x x . x x x",
    ({ organization, script }) => ({ organizationId: organization, hash: script }),
  ),
  "millrace.internal.v1.RunnerService/ListSteps": row(
    [],
    "x x x x x x . x x x",
    ({ organization, job, lease }) => ({
      attempt: { organizationId: organization, jobId: job, attempt: 1, leaseToken: lease },
    }),
  ),
  "millrace.internal.v1.RunnerService/SubmitChild": row(
    [],
    "x x x x x x . x x x",
    ({ organization, job, lease }) => ({
      attempt: { organizationId: organization, jobId: job, attempt: 1, leaseToken: lease },
      name: "child",
      spec: later(),
    }),
  ),
  "millrace.internal.v1.RunnerService/AwaitChild": row(
    [],
    "x x x x x x . x x x",
    ({ organization, job, lease, child }) => ({
      attempt: { organizationId: organization, jobId: job, attempt: 1, leaseToken: lease },
      jobId: child,
      maxWait: { nanos: 1 },
    }),
  ),
  "millrace.internal.v1.JobUpdateService/UpdateJobs": row([], "x x x x x x . x x x"),
  "millrace.internal.v1.JobUpdateService/UpdateJob": row(
    [],
    "? x x x x . . x . x",
    ({ organization, job }) => ({ organizationId: organization, jobId: job, seq: nextSeq() }),
  ),
};

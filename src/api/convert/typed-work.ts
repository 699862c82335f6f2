import type { KnownType } from "../../catalog/job-type.ts";
import type { PathFault } from "../../catalog/schema/faults.ts";
import { JobFault } from "../../jobs/errors.ts";
import type { JsonText } from "../../jobs/job.ts";
import type { Faults } from "./faults.ts";

/** An input that was held against the schema of its type. */
export type CheckedInput = {
  /** With the defaults of the schema filled in. */
  readonly text: JsonText;
  readonly faults: readonly PathFault[];
};

/** What the catalog says to a submission: looked up beforehand, for the conversion does no waiting. */
export type TypedWork = {
  readonly type: KnownType;
  /** Null if the type has no schema, or the input cannot be held against it. */
  readonly input: CheckedInput | null;
};

/** `faults` speaks of the fields of the spec. */
export const addInputFaults = (faults: Faults, { input }: TypedWork): void => {
  for (const { path, description } of input?.faults ?? []) faults.add(`input${path}`, description);
};

export const typeDisabled = ({ name }: KnownType): JobFault =>
  new JobFault("JOB_TYPE_DISABLED", `The job type ${name} is disabled: it takes no new jobs.`, {
    metadata: { type: name },
  });

/** How the names of the domain are stored: as the numbers that the contract gives them. */
import type { AttributeKind } from "../../jobs/attribute.ts";
import type { DeliveryState } from "../../jobs/delivery.ts";
import type {
  AttemptOutcome,
  CallbackState,
  ConcurrencyPolicy,
  OutputStream,
  ScriptRow,
} from "../../jobs/job.ts";
import type { Metric, Resolution } from "../../jobs/metric.ts";
import type { CatchUp } from "../../jobs/schedule.ts";
import type { JobState } from "../../jobs/states.ts";
import type { UnfinishedKind } from "../../jobs/unfinished.ts";
import type { UpstreamFailurePolicy, WorkflowState } from "../../jobs/workflow.ts";

type Codes<Name extends string> = {
  readonly numbers: Readonly<Record<Name, number>>;
  /** @throws RangeError for a number that no program of this version has written */
  nameOf(number: number): Name;
};

const codes = <Name extends string>(numbers: Readonly<Record<Name, number>>): Codes<Name> => {
  const names = new Map<number, Name>();
  for (const name of Object.keys(numbers) as Name[]) names.set(numbers[name], name);
  return {
    numbers,
    nameOf: (number) => {
      const name = names.get(number);
      if (name === undefined) throw new RangeError(`the database holds an unknown code ${number}`);
      return name;
    },
  };
};

export const STATES = codes<JobState>({
  HELD: 1,
  BLOCKED: 2,
  SCHEDULED: 3,
  QUEUED: 4,
  RUNNING: 5,
  RETRYING: 6,
  SUCCEEDED: 7,
  FAILED: 8,
  CANCELLED: 9,
});

export const OUTCOMES = codes<AttemptOutcome>({ SUCCEEDED: 1, FAILED: 2, CANCELLED: 3, LOST: 4 });

export const STREAMS = codes<OutputStream>({ STDOUT: 1, STDERR: 2, LOG: 3 });

export const POLICIES = codes<ConcurrencyPolicy>({ QUEUE: 1, REJECT: 2 });

export const CALLBACK_STATES = codes<CallbackState>({
  NONE: 0,
  PENDING: 1,
  DELIVERED: 2,
  FAILED: 3,
});

export const WORKFLOW_STATE_CODES = codes<WorkflowState>({
  RUNNING: 1,
  SUCCEEDED: 2,
  FAILED: 3,
  CANCELLED: 4,
});

export const FAILURE_POLICIES = codes<UpstreamFailurePolicy>({ CANCEL: 1, RUN: 2 });

export const DELIVERY_STATES = codes<DeliveryState>({ PENDING: 1, DELIVERED: 2, FAILED: 3 });

export const LANGUAGES = codes<ScriptRow["language"]>({ JAVASCRIPT: 1, TYPESCRIPT: 2 });

export const ATTRIBUTE_KINDS = codes<AttributeKind>({ STATIC: 1, DYNAMIC: 2 });

export const CATCH_UP_CODES = codes<CatchUp>({ SKIP: 1, ONCE: 2, ALL: 3 });

export const RESOLUTION_CODES = codes<Resolution>({ MINUTE: 1, HOUR: 2, DAY: 3 });

export const METRIC_CODES = codes<Metric>({
  SUBMITTED: 1,
  STARTED: 2,
  SUCCEEDED: 3,
  FAILED: 4,
  CANCELLED: 5,
  RETRIED: 6,
  QUEUE_DURATION: 7,
  RUN_DURATION: 8,
  TOTAL_DURATION: 9,
  QUEUE_AGE: 10,
  CURRENT: 11,
});

export const UNFINISHED_KINDS = codes<UnfinishedKind>({ settle: 1, tell: 2 });

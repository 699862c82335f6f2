import { create } from "@bufbuild/protobuf";
import { durationFromMs } from "@bufbuild/protobuf/wkt";
import { type Command, InvalidArgumentError } from "commander";

import {
  HookJobSchema,
  type HookSpec,
  HookSpecSchema,
  JobEventFilterSchema,
  ThresholdMetric,
  ThresholdSchema,
} from "../../gen/millrace/v1/hook_service_pb.ts";
import type { JobState } from "../../gen/millrace/v1/job_pb.ts";
import { collectState } from "../job/states.ts";
import { usageFailure } from "../failure.ts";
import { collect, collectPairs, parseDurationMs } from "../parse.ts";

/** What a hook waits for and whom it tells, as a command line says it. */
export type SpecOptions = {
  readonly name?: string;
  readonly state?: readonly JobState[];
  readonly type?: readonly string[];
  readonly label?: Readonly<Record<string, string>>;
  readonly metric?: ThresholdMetric;
  readonly above?: number;
  readonly for?: number;
  readonly to?: string;
  readonly submit?: string;
};

const METRICS: ReadonlyMap<string, ThresholdMetric> = new Map([
  ["queue-age-seconds", ThresholdMetric.QUEUE_AGE_SECONDS],
  ["queued-jobs", ThresholdMetric.QUEUED_JOBS],
  ["running-jobs", ThresholdMetric.RUNNING_JOBS],
  ["failure-ratio", ThresholdMetric.FAILURE_RATIO],
]);

const parseMetric = (text: string): ThresholdMetric => {
  const metric = METRICS.get(text.toLowerCase());
  if (metric !== undefined) return metric;
  throw new InvalidArgumentError(`It is one of ${[...METRICS.keys()].join(", ")}.`);
};

const parseNumber = (text: string): number => {
  if (!/^\d+(\.\d+)?$/.test(text)) throw new InvalidArgumentError("A number is expected.");
  return Number(text);
};

export const addHookOptions = (command: Command): Command =>
  command
    .option("--name <text>", "a name for people")
    .option("--state <state>", "jobs that come into this state; may be repeated", collectState)
    .option("--type <name>", "only jobs of this type; may be repeated", collect)
    .option("--label <key=value>", "only jobs with this label; may be repeated", collectPairs)
    .option("--metric <metric>", `instead of jobs: ${[...METRICS.keys()].join(", ")}`, parseMetric)
    .option("--above <number>", "told when the metric is above this", parseNumber)
    .option("--for <duration>", "and has been for so long (0 s)", parseDurationMs)
    .option("--to <url>", "tells this URL")
    .option("--submit <type>", "or submits a job of this type, with the notice as its input");

const eventOf = ({ state, type, label, metric, ...options }: SpecOptions): HookSpec["event"] => {
  const { above, for: lasting } = options;
  if (metric === undefined) {
    if (above !== undefined || lasting !== undefined) throw usageFailure("Of what? Give --metric.");
    const labels = { ...label };
    const filter = { states: [...(state ?? [])], types: [...(type ?? [])], labels };
    return { case: "jobs", value: create(JobEventFilterSchema, filter) };
  }
  if (state !== undefined || label !== undefined || (type?.length ?? 0) > 1) {
    throw usageFailure("A --metric goes with one --type at most, and with no --state or --label.");
  }
  if (above === undefined) throw usageFailure("Above what? Give --above.");
  const threshold = { metric, type: type?.[0] ?? "", above, for: durationFromMs(lasting ?? 0) };
  return { case: "threshold", value: create(ThresholdSchema, threshold) };
};

const targetOf = ({ to, submit }: SpecOptions): HookSpec["target"] => {
  if (to !== undefined && submit !== undefined) throw usageFailure("Give --to or --submit.");
  if (to !== undefined) return { case: "url", value: to };
  if (submit === undefined) return { case: undefined };
  return { case: "job", value: create(HookJobSchema, { type: submit }) };
};

const EVENT = ["state", "type", "label", "metric", "above", "for"] as const;

/** The spec that the options ask for. @throws CliFailure */
export const hookSpecOf = (options: SpecOptions): HookSpec => {
  const target = targetOf(options);
  if (target.case === undefined) throw usageFailure("Whom does it tell? Give --to or --submit.");
  return create(HookSpecSchema, { name: options.name ?? "", event: eventOf(options), target });
};

/** `spec` with what the options say; what it waits for is said anew as a whole. @throws CliFailure */
export const changedSpec = (spec: HookSpec, options: SpecOptions): HookSpec => {
  const target = targetOf(options);
  const newEvent = EVENT.some((name) => options[name] !== undefined);
  if (target.case === undefined && !newEvent && options.name === undefined) {
    throw usageFailure("What shall change? Give --name, --to, --submit, or what it waits for.");
  }
  return {
    ...spec,
    ...(options.name === undefined ? null : { name: options.name }),
    ...(newEvent ? { event: eventOf(options) } : null),
    ...(target.case === undefined ? null : { target }),
  };
};

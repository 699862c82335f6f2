import { create, fromJson, type JsonValue, type MessageInitShape } from "@bufbuild/protobuf";
import { durationFromMs, timestampFromMs, ValueSchema } from "@bufbuild/protobuf/wkt";

import {
  ConcurrencyPolicy,
  type JobSpec,
  JobSpecSchema,
  ScriptLanguage,
} from "../../gen/millrace/v1/job_pb.ts";
import { usageFailure } from "../failure.ts";
import { type Moment, resolveMoment } from "../parse.ts";

/** What `job submit` was told about the job. Texts are as given: the server checks them. */
export type SpecOptions = {
  readonly type?: string;
  readonly typeVersion?: number;
  readonly script?: string;
  readonly name?: string;
  readonly priority?: number;
  readonly label?: Readonly<Record<string, string>>;
  readonly runAt?: Moment;
  readonly attemptTimeout?: number;
  readonly totalTimeout?: number;
  readonly maxRetries?: number;
  readonly key?: string;
  readonly rejectConflict?: boolean;
  readonly callback?: string;
  readonly runAs?: string;
};

type Work = NonNullable<MessageInitShape<typeof JobSpecSchema>["work"]>;

const workOf = (options: SpecOptions, source: string | null): Work => {
  if (options.script !== undefined && options.type !== undefined) {
    throw usageFailure("--script and --type exclude each other.");
  }
  if (options.type !== undefined) return { case: "type", value: options.type };
  if (options.script === undefined || source === null) {
    throw usageFailure("What shall run? Give --script FILE or --type NAME.");
  }
  const language = /\.[cm]?ts$/.test(options.script)
    ? ScriptLanguage.TYPESCRIPT
    : ScriptLanguage.JAVASCRIPT;
  return { case: "script", value: { source, language } };
};

/** `source` is the script's text, when `--script` was given. `now` in epoch milliseconds. */
export const specOf = (
  options: SpecOptions,
  source: string | null,
  input: JsonValue | undefined,
  now: number,
): JobSpec => {
  const { runAt, attemptTimeout, totalTimeout, maxRetries } = options;
  return create(JobSpecSchema, {
    work: workOf(options, source),
    typeVersion: options.typeVersion ?? 0,
    name: options.name ?? "",
    priority: options.priority ?? 0,
    labels: { ...options.label },
    concurrencyKey: options.key ?? "",
    concurrencyPolicy:
      options.rejectConflict === true ? ConcurrencyPolicy.REJECT : ConcurrencyPolicy.UNSPECIFIED,
    runAs: options.runAs ?? "",
    ...(input === undefined ? {} : { input: fromJson(ValueSchema, input) }),
    ...(runAt === undefined ? {} : { runAt: timestampFromMs(resolveMoment(runAt, now)) }),
    ...(attemptTimeout === undefined ? {} : { attemptTimeout: durationFromMs(attemptTimeout) }),
    ...(totalTimeout === undefined ? {} : { totalTimeout: durationFromMs(totalTimeout) }),
    ...(maxRetries === undefined ? {} : { retryPolicy: { maxRetries } }),
    ...(options.callback === undefined ? {} : { callback: { url: options.callback } }),
  });
};

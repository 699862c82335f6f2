import type { MessageInitShape } from "@bufbuild/protobuf";
import { durationFromMs } from "@bufbuild/protobuf/wkt";
import type { Command } from "commander";

import type {
  OrganizationLimits,
  OrganizationLimitsSchema,
} from "../../gen/millrace/v1/organization_service_pb.ts";
import { parseDurationMs, parseInteger } from "../parse.ts";

/** A limit that is set, or one that goes back to the server's default. */
type Limit = number | "default";

export type LimitOptions = {
  readonly maxRunning?: Limit;
  readonly maxQueued?: Limit;
  readonly weight?: Limit;
  readonly retention?: Limit;
};

const orDefault =
  (parse: (text: string) => number) =>
  (text: string): Limit =>
    text === "default" ? text : parse(text);

export const addLimitOptions = (command: Command): Command =>
  command
    .option("--max-running <n>", "jobs that run at the same time", orDefault(parseInteger))
    .option("--max-queued <n>", "jobs that wait", orDefault(parseInteger))
    .option("--weight <n>", "its share beside other organizations", orDefault(parseInteger))
    .option(
      "--retention <duration>",
      "how long ended jobs are kept: 30d",
      orDefault(parseDurationMs),
    );

export const saysLimits = ({ maxRunning, maxQueued, weight, retention }: LimitOptions): boolean =>
  [maxRunning, maxQueued, weight, retention].some((limit) => limit !== undefined);

/** The limits that were set so far, with what the options say put in. */
export const mergedLimits = (
  before: OrganizationLimits | undefined,
  options: LimitOptions,
): MessageInitShape<typeof OrganizationLimitsSchema> => {
  const pick = <T>(option: Limit | undefined, kept: T | undefined, make: (n: number) => T) => {
    if (option === undefined) return kept;
    return option === "default" ? undefined : make(option);
  };
  const same = (value: number): number => value;
  const maxRunning = pick(options.maxRunning, before?.maxRunning, same);
  const maxQueued = pick(options.maxQueued, before?.maxQueued, same);
  const weight = pick(options.weight, before?.weight, same);
  const retention = pick(options.retention, before?.retention, durationFromMs);
  return {
    ...(maxRunning === undefined ? {} : { maxRunning }),
    ...(maxQueued === undefined ? {} : { maxQueued }),
    ...(weight === undefined ? {} : { weight }),
    ...(retention === undefined ? {} : { retention }),
  };
};

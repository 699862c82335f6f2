import { type Command, InvalidArgumentError } from "commander";

import { CatchUpPolicy } from "../../gen/millrace/v1/schedule_service_pb.ts";

/** When a schedule fires, as a command line says it. */
export type TimingOptions = {
  readonly cron?: string;
  readonly timeZone?: string;
  readonly catchUp?: CatchUpPolicy;
};

const POLICIES: ReadonlyMap<string, CatchUpPolicy> = new Map([
  ["skip", CatchUpPolicy.SKIP],
  ["once", CatchUpPolicy.ONCE],
  ["all", CatchUpPolicy.ALL],
]);

const parsePolicy = (text: string): CatchUpPolicy => {
  const policy = POLICIES.get(text.toLowerCase());
  if (policy !== undefined) return policy;
  throw new InvalidArgumentError(`It is one of ${[...POLICIES.keys()].join(", ")}.`);
};

export const addTimingOptions = (command: Command): Command =>
  command
    .option("--cron <expression>", "five fields, or six with seconds, or @daily and the like")
    .option("--time-zone <name>", "an IANA name such as Europe/Berlin (UTC if absent)")
    .option("--catch-up <policy>", "of missed times: skip, once or all (once)", parsePolicy);

import type { Command } from "commander";

import type { JobSpec } from "../../gen/millrace/v1/job_pb.ts";
import { collectPairs, parseDurationMs, parseInteger } from "../parse.ts";
import type { Shell } from "../shell.ts";
import { jobInput, readSource } from "./input.ts";
import { type SpecOptions, specOf } from "./spec.ts";

/** What a command line says of a job, with the files that it names. */
export type SpecArguments = SpecOptions & {
  readonly input?: string;
  readonly inputFile?: Readonly<Record<string, string>>;
};

/** Everything about a job but when it runs. */
export const addSpecOptions = (command: Command): Command =>
  command
    .option("--script <file>", "an ES module to run, JavaScript or TypeScript (- for stdin)")
    .option("--type <name>", "a registered type to run")
    .option("--type-version <n>", "a version of it, instead of the newest", parseInteger)
    .option("--input <json>", "the input: JSON, @file, or - for stdin")
    .option(
      "--input-file <field=file>",
      "a file's text as a field of the input; repeatable",
      collectPairs,
    )
    .option("--name <text>", "a name for people")
    .option("--priority <n>", "-100 to 100; higher runs earlier", parseInteger)
    .option("--label <key=value>", "a label; repeatable", collectPairs)
    .option(
      "--attempt-timeout <duration>",
      "ends an attempt that runs longer: 30s",
      parseDurationMs,
    )
    .option("--total-timeout <duration>", "ends the job at this age: 2h", parseDurationMs)
    .option("--max-retries <n>", "retries after the first attempt", parseInteger)
    .option("--key <text>", "of the jobs with the same key, one runs at a time")
    .option("--reject-conflict", "with --key: refuse instead of waiting for the other job")
    .option("--callback <url>", "where the end of the job is told")
    .option("--run-as <user>", "the user for whom the job acts");

/** Reads the script and the input. @throws CliFailure */
export const readSpec = async (options: SpecArguments, shell: Shell): Promise<JobSpec> => {
  const source =
    options.script === undefined ? null : await readSource(options.script, "--script", shell);
  const input = await jobInput(options.input, options.inputFile ?? {}, shell);
  return specOf(options, source, input, shell.clock.now());
};

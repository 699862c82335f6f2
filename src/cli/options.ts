import { type Command, Option } from "commander";

import type { ConnectionOptions } from "./settings.ts";

export type OutputFormat = "text" | "json";
export type FormatOptions = { readonly output: OutputFormat };
export type ClientOptions = ConnectionOptions & FormatOptions;

/** `--output`, for every command that prints something a machine may want. */
export const addFormatOption = (command: Command): Command =>
  command.addOption(
    new Option("-o, --output <format>", "text for people, json for machines")
      .choices(["text", "json"])
      .default("text"),
  );

/** What every command needs that speaks to a server. */
export const addClientOptions = (command: Command): Command =>
  addFormatOption(command)
    .option("--url <url>", "the server (MILLRACE_URL; else that of the data directory)")
    .option("--token <token>", "a bearer token (MILLRACE_TOKEN; else that of the data directory)")
    .option("--data-dir <folder>", "where a local server keeps its data (MILLRACE_DATA_DIR)");

/** Examples at the end of a help page. */
export const addExamples = (command: Command, ...examples: readonly string[]): Command =>
  command.addHelpText("after", `\nExamples:\n${examples.map((line) => `  $ ${line}`).join("\n")}`);

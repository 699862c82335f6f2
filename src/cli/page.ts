import type { DescMessage, MessageShape } from "@bufbuild/protobuf";
import type { Command } from "commander";

import { jsonLine } from "./json.ts";
import type { FormatOptions } from "./options.ts";
import { parseInteger } from "./parse.ts";
import { printLine, type Shell } from "./shell.ts";
import { tableText } from "./table.ts";
import { printableLine } from "./view/printable.ts";

/* Lists that come in pages. */

export type PageOptions = { readonly limit: number; readonly pageToken?: string };

export const addPageOptions = (command: Command): Command =>
  command
    .option("--limit <n>", "at most so many", parseInteger, 50)
    .option("--page-token <token>", "the page that follows");

/** What every request for a page says. */
export const pageOf = ({ limit, pageToken = "" }: PageOptions) => ({ pageSize: limit, pageToken });

/** In JSON the whole answer, else a table, and below it how to go on. */
export const printPage = <S extends DescMessage>(
  shell: Shell,
  { output }: FormatOptions,
  page: {
    readonly schema: S;
    readonly answer: MessageShape<S> & { readonly nextPageToken: string };
    readonly heading: readonly string[];
    /** As they came: a terminal gets no control sequences of others. */
    readonly rows: readonly (readonly string[])[];
  },
): void => {
  const { schema, answer, heading, rows } = page;
  if (output === "json") {
    printLine(shell.stdout, jsonLine(schema, answer));
    return;
  }
  const shown = rows.map((row) => row.map((cell) => printableLine(cell, shell.stdout.isTTY)));
  printLine(shell.stdout, tableText(heading, shown));
  if (answer.nextPageToken !== "") {
    printLine(shell.stderr, `More follow: --page-token ${answer.nextPageToken}`);
  }
};

import type { Command } from "commander";

import { addClientOptions, type ClientOptions } from "./options.ts";
import { parseInteger } from "./parse.ts";
import type { Speaker } from "./settings.ts";
import { printLine, type Shell } from "./shell.ts";

/** Commands about an organization: the caller's own, or one that an operator names. */
export type TenantOptions = ClientOptions & { readonly organization?: string };

export type PageOptions = { readonly limit: number; readonly pageToken?: string };

export const addTenantOptions = (command: Command): Command =>
  addClientOptions(
    command.option(
      "--organization <id>",
      "another organization, for operators (your own, if absent)",
    ),
  );

/** Whoever names an organization is an operator: users have one. */
export const speakerOf = ({ organization }: TenantOptions): Speaker =>
  organization === undefined ? "user" : "operator";

export const addPageOptions = (command: Command): Command =>
  command
    .option("--limit <n>", "at most so many", parseInteger, 50)
    .option("--page-token <token>", "the page that follows");

/** Below a table. */
export const tellOfMore = (shell: Shell, nextPageToken: string): void => {
  if (nextPageToken === "") return;
  printLine(shell.stderr, `More follow: --page-token ${nextPageToken}`);
};

import type { Command } from "commander";

import { addClientOptions, type ClientOptions } from "./options.ts";
import type { Speaker } from "./settings.ts";

/** Commands about an organization: the caller's own, or one that an operator names. */
export type TenantOptions = ClientOptions & { readonly organization?: string };

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

import type { Command } from "commander";

import type { Speaker } from "../settings.ts";
import { addTenantOptions, speakerOf, type TenantOptions } from "../tenant.ts";

/** Commands about tokens, of an organization or of none. */
export type SystemOptions = TenantOptions & { readonly system?: boolean };

export const addSystemOptions = (command: Command): Command =>
  addTenantOptions(command.option("--system", "those of runners and operators; needs an operator"));

export const tokenSpeakerOf = (options: SystemOptions): Speaker =>
  options.system === true ? "operator" : speakerOf(options);

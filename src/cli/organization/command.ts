import type { Register } from "../program.ts";
import { registerAudit } from "./audit.ts";
import { registerCreate } from "./create.ts";
import { registerGet } from "./get.ts";
import { registerList } from "./list.ts";
import { registerUpdate } from "./update.ts";

const COMMANDS: readonly Register[] = [
  registerCreate,
  registerGet,
  registerList,
  registerUpdate,
  registerAudit,
];

export const registerOrganization: Register = (parent, shell, act) => {
  const organization = parent
    .command("organization")
    .description("Makes organizations, shows and changes their limits, reads their audit log.");
  for (const register of COMMANDS) register(organization, shell, act);
};

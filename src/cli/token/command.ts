import type { Register } from "../program.ts";
import { registerCreate } from "./create.ts";
import { registerIntrospect } from "./introspect.ts";
import { registerList } from "./list.ts";
import { registerRevoke } from "./revoke.ts";

const COMMANDS: readonly Register[] = [
  registerCreate,
  registerList,
  registerRevoke,
  registerIntrospect,
];

export const registerToken: Register = (parent, shell, act) => {
  const token = parent
    .command("token")
    .description("Makes, lists, revokes and explains bearer tokens.");
  for (const register of COMMANDS) register(token, shell, act);
};

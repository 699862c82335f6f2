import type { Register } from "../program.ts";
import { registerCreate } from "./create.ts";
import { registerList } from "./list.ts";
import { registerRevoke } from "./revoke.ts";

export const registerToken: Register = (parent, shell, act) => {
  const token = parent
    .command("token")
    .description("Makes, lists and revokes tokens, directly in the database.");
  for (const register of [registerCreate, registerList, registerRevoke])
    register(token, shell, act);
};

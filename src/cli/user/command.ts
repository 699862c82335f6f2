import type { Register } from "../program.ts";
import { registerAttributes, registerRemoveAttribute, registerSetAttribute } from "./attributes.ts";
import { registerCreate } from "./create.ts";
import { registerGet } from "./get.ts";
import { registerList } from "./list.ts";
import { registerDisable, registerEnable, registerUpdate } from "./update.ts";

const COMMANDS: readonly Register[] = [
  registerCreate,
  registerGet,
  registerList,
  registerUpdate,
  registerDisable,
  registerEnable,
  registerAttributes,
  registerSetAttribute,
  registerRemoveAttribute,
];

export const registerUser: Register = (parent, shell, act) => {
  const user = parent
    .command("user")
    .description("Makes users, shows and changes what they may do, and their attributes.");
  for (const register of COMMANDS) register(user, shell, act);
};

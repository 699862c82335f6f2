import type { Register } from "../program.ts";
import { registerPut } from "./apply.ts";
import { registerDisable, registerEnable, registerResume } from "./change.ts";
import { registerGet, registerList, registerVersions } from "./read.ts";

const COMMANDS: readonly Register[] = [
  registerList,
  registerGet,
  registerVersions,
  registerPut,
  registerEnable,
  registerDisable,
  registerResume,
];

export const registerType: Register = (parent, shell, act) => {
  const type = parent.command("type").description("Shows and changes job types.");
  for (const register of COMMANDS) register(type, shell, act);
};

import type { Register } from "../program.ts";
import { registerDelete, registerPause, registerResume, registerTest } from "./change.ts";
import { registerCreate, registerUpdate } from "./create.ts";
import { registerGet, registerList } from "./read.ts";

const COMMANDS: readonly Register[] = [
  registerCreate,
  registerGet,
  registerList,
  registerUpdate,
  registerPause,
  registerResume,
  registerTest,
  registerDelete,
];

export const registerHook: Register = (parent, shell, act) => {
  const hook = parent
    .command("hook")
    .description("Makes, shows and changes hooks: who is told of jobs, and of numbers.");
  for (const register of COMMANDS) register(hook, shell, act);
};

import type { Register } from "../program.ts";
import { registerDelete, registerPause, registerResume, registerTrigger } from "./change.ts";
import { registerCreate } from "./create.ts";
import { registerGet, registerList } from "./read.ts";
import { registerUpdate } from "./update.ts";

const COMMANDS: readonly Register[] = [
  registerCreate,
  registerGet,
  registerList,
  registerUpdate,
  registerPause,
  registerResume,
  registerTrigger,
  registerDelete,
];

export const registerSchedule: Register = (parent, shell, act) => {
  const schedule = parent
    .command("schedule")
    .description("Makes, shows and changes schedules: jobs that are submitted again and again.");
  for (const register of COMMANDS) register(schedule, shell, act);
};

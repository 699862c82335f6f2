import type { Register } from "../program.ts";
import { registerCancel, registerRetry } from "./change.ts";
import { registerGet, registerList, registerWatch } from "./read.ts";
import { registerSubmit } from "./submit.ts";

const COMMANDS: readonly Register[] = [
  registerSubmit,
  registerGet,
  registerList,
  registerWatch,
  registerCancel,
  registerRetry,
];

export const registerWorkflow: Register = (parent, shell, act) => {
  const workflow = parent
    .command("workflow")
    .description("Submits workflows, jobs with ties; shows their graphs, ends and retries them.");
  for (const register of COMMANDS) register(workflow, shell, act);
};

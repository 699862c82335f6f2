import type { Register } from "../program.ts";
import { registerAttempts } from "./attempts.ts";
import { registerCancel } from "./cancel.ts";
import { registerGet } from "./get.ts";
import { registerList } from "./list.ts";
import { registerOutput } from "./output.ts";
import { registerRelease } from "./release.ts";
import { registerResult } from "./result.ts";
import { registerRetry } from "./retry.ts";
import { registerSubmit } from "./submit.ts";
import { registerUpdate } from "./update.ts";
import { registerWait } from "./wait.ts";
import { registerWatch } from "./watch.ts";

const COMMANDS: readonly Register[] = [
  registerSubmit,
  registerGet,
  registerList,
  registerWatch,
  registerWait,
  registerResult,
  registerOutput,
  registerAttempts,
  registerCancel,
  registerRetry,
  registerRelease,
  registerUpdate,
];

export const registerJob: Register = (parent, shell, act) => {
  const job = parent
    .command("job")
    .description("Submits jobs, shows them, waits for them, ends them.");
  for (const register of COMMANDS) register(job, shell, act);
};

import type { Register } from "../program.ts";
import { registerGrant } from "./grant.ts";
import { registerNow } from "./now.ts";
import { registerQuery } from "./query.ts";

export const registerMetrics: Register = (parent, shell, act) => {
  const metrics = parent
    .command("metrics")
    .description("Shows the numbers of an organization's jobs, and says who may read them.");
  for (const register of [registerQuery, registerNow, registerGrant]) {
    register(metrics, shell, act);
  }
};

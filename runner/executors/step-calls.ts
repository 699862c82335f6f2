import { z } from "zod";

import type { Steps } from "../executor.ts";
import { type HostCall, type HostCalls, HostFault } from "../host-calls.ts";
import { StepRefused } from "../steps.ts";

const find = z.strictObject({ name: z.string() });
const finish = z.strictObject({ name: z.string(), result: z.string() });

/** `ctx.step` of a script. */
export const stepCalls = (steps: Steps): HostCalls =>
  new Map<string, HostCall>([
    [
      "step.find",
      async (payload) => {
        const result = await steps.find(find.parse(payload).name);
        return result === undefined ? {} : { result };
      },
    ],
    [
      "step.finish",
      async (payload) => {
        const { name, result } = finish.parse(payload);
        try {
          await steps.finish(name, result);
        } catch (cause) {
          if (cause instanceof StepRefused) throw new HostFault("quota.steps", cause.message);
          throw cause;
        }
      },
    ],
  ]);

import { z } from "zod";

import { ChildFault, type Children } from "../executor.ts";
import { type HostCall, type HostCalls, HostFault } from "../host-calls.ts";

const submit = z.strictObject({ name: z.string(), spec: z.record(z.string(), z.unknown()) });
const wait = z.strictObject({ jobId: z.string() });

const refusal = (caught: unknown): unknown =>
  caught instanceof ChildFault ? new HostFault(caught.code, caught.message, "ChildError") : caught;

/** `ctx.submit` and `ctx.waitFor` of a script. */
export const childCalls = (children: Children): HostCalls =>
  new Map<string, HostCall>([
    [
      "child.submit",
      async (payload) => {
        const { name, spec } = submit.parse(payload);
        try {
          return { jobId: await children.submit(name, JSON.stringify(spec)) };
        } catch (caught) {
          throw refusal(caught);
        }
      },
    ],
    [
      "child.wait",
      async (payload) => {
        const { jobId } = wait.parse(payload);
        try {
          return { result: await children.wait(jobId) };
        } catch (caught) {
          throw refusal(caught);
        }
      },
    ],
  ]);

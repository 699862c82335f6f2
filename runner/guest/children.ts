import type { Calls } from "./calls.ts";
import { GuestTypeError, jsonParse } from "./primordials.ts";

/** Jobs that this one submits, and waits for. */
export const createChildren = (
  calls: Calls,
): {
  submit(name: unknown, job: unknown): Promise<unknown>;
  waitFor(jobId: unknown): Promise<unknown>;
} => ({
  submit: async (name, job) => {
    if (typeof name !== "string" || name === "") throw new GuestTypeError("a job needs a name");
    if (typeof job !== "object" || job === null) {
      throw new GuestTypeError("a job needs what is to run: { type, input, … }");
    }
    const { jobId } = (await calls.call("child.submit", { name, spec: job })) as {
      readonly jobId: string;
    };
    return jobId;
  },
  waitFor: async (jobId) => {
    if (typeof jobId !== "string") throw new GuestTypeError("the id of a job is needed");
    const { result } = (await calls.call("child.wait", { jobId })) as { readonly result: string };
    return jsonParse(result) as unknown;
  },
});

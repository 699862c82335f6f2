import type { Attempt } from "./bridge.ts";
import type { Calls } from "./calls.ts";
import { GuestTypeError, jsonParse } from "./primordials.ts";
import { resultText } from "./result.ts";

type Step = (name: unknown, run: unknown) => Promise<unknown>;

/** More than the host takes, so that it is the host who says no. */
const MOST_BYTES = 1024 * 1024;

/** Runs `run` once for all attempts of a job: its JSON result is durable before the promise resolves. */
export const createStep =
  (attempt: Attempt, calls: Calls): Step =>
  async (name, run) => {
    if (typeof name !== "string") throw new GuestTypeError("a step needs a name");
    if (typeof run !== "function") throw new GuestTypeError("a step needs a function");
    // Nothing can have ended before the first attempt.
    if (attempt.attempt > 1) {
      const found = (await calls.call("step.find", { name })) as { readonly result?: string };
      if (typeof found.result === "string") return jsonParse(found.result) as unknown;
    }
    const result = resultText(await (run as () => unknown)(), MOST_BYTES);
    await calls.call("step.finish", { name, result });
    // As another attempt will see it.
    return jsonParse(result) as unknown;
  };

import { type Attempt, codedError } from "./bridge.ts";
import type { Calls } from "./calls.ts";
import { GuestMap, GuestTypeError, jsonParse, mapDelete, mapGet, mapSet } from "./primordials.ts";
import { resultText } from "./result.ts";

type Step = (name: unknown, run: unknown) => Promise<unknown>;

/** The host's own limit. A frame holds no more, where every character has to be escaped twice. */
const MOST_BYTES = 256 * 1024;

/** Runs `run` once for all attempts of a job: its JSON result is durable before the promise resolves. */
export const createStep = (attempt: Attempt, calls: Calls): Step => {
  const begun = new GuestMap<string, true>();

  const memoised = async (name: string, run: () => unknown): Promise<unknown> => {
    // Nothing can have ended before the first attempt.
    if (attempt.attempt > 1) {
      const found = (await calls.call("step.find", { name })) as { readonly result?: string };
      if (typeof found.result === "string") return jsonParse(found.result) as unknown;
    }
    const result = resultText(await run(), MOST_BYTES, {
      code: "quota.steps",
      what: `the result of the step "${name}"`,
    });
    await calls.call("step.finish", { name, result });
    // As another attempt will see it.
    return jsonParse(result) as unknown;
  };

  return async (name, run) => {
    if (typeof name !== "string") throw new GuestTypeError("a step needs a name");
    if (typeof run !== "function") throw new GuestTypeError("a step needs a function");
    if (mapGet(begun, name) === true) {
      throw codedError("quota.steps", `the step "${name}" has begun before: names are unique`);
    }
    mapSet(begun, name, true);
    try {
      return await memoised(name, run as () => unknown);
    } catch (cause) {
      // It may be tried again: it has not ended.
      mapDelete(begun, name);
      throw cause;
    }
  };
};

import { codedError, post } from "./bridge.ts";
import {
  defineHidden,
  GuestError,
  GuestMap,
  GuestPromise,
  indexOfText,
  jsonParse,
  jsonStringify,
  mapDelete,
  mapGet,
  mapSet,
  sliceText,
} from "./primordials.ts";

/** Questions to the host that have an answer. Values cross as JSON. */
export type Calls = {
  /**
   * Rejects with an error that keeps its failure code, and has the frames of `asked`: an answer comes
   * from nowhere in the script's text. @throws quota.host_calls
   */
  call(name: string, payload: unknown, asked?: Error): Promise<unknown>;
  /** The host's answer to call number `call`. */
  settle(call: number, ok: boolean, payload: string): void;
};

type Waiter = {
  readonly resolve: (value: unknown) => void;
  readonly reject: (error: unknown) => void;
  readonly asked: Error;
};

type Fault = { readonly code: string; readonly message: string; readonly name: string };

export const createCalls = (most: number): Calls => {
  const waiting = new GuestMap<number, Waiter>();
  let last = 0;

  return {
    call: (name, payload, asked = new GuestError()) =>
      new GuestPromise((resolve, reject) => {
        if (last >= most) {
          throw codedError("quota.host_calls", `more than ${most} calls to the host`);
        }
        last += 1;
        mapSet(waiting, last, { resolve, reject, asked });
        post("call", last, name, jsonStringify(payload));
      }),
    settle: (call, ok, payload) => {
      const waiter = mapGet(waiting, call) as Waiter | undefined;
      if (waiter === undefined) return;
      mapDelete(waiting, call);
      if (ok) {
        waiter.resolve(jsonParse(payload));
        return;
      }
      const { code, message, name } = jsonParse(payload) as Fault;
      const error = codedError(code, message, name);
      const frames = framesOf(waiter.asked);
      if (frames !== "") defineHidden(error, "stack", `${name}: ${message}${frames}`);
      waiter.reject(error);
    },
  };
};

/** A script may have put its own words, or an error, in the place of a stack. */
const framesOf = (asked: Error): string => {
  try {
    const stack: unknown = asked.stack;
    if (typeof stack !== "string") return "";
    const at = indexOfText(stack, "\n    at ");
    return at === -1 ? "" : sliceText(stack, at);
  } catch {
    return "";
  }
};

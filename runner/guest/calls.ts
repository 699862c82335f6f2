import { type CallLimits, codedError, post } from "./bridge.ts";
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

export const createCalls = (most: CallLimits): Calls => {
  const waiting = new GuestMap<number, Waiter>();
  let last = 0;
  let open = 0;
  let chars = 0;

  /** Or why it must not be made. */
  const refusalOf = (payload: string): string | null => {
    if (last >= most.total) return `more than ${most.total} calls to the host`;
    if (open >= most.atOnce) return `more than ${most.atOnce} calls to the host at once`;
    if (payload.length > most.payload) {
      return `a call to the host of ${payload.length} characters; at most ${most.payload} are allowed`;
    }
    if (chars + payload.length > most.payloads) {
      return `calls to the host of more than ${most.payloads} characters together`;
    }
    return null;
  };

  return {
    call: (name, payload, asked = new GuestError()) =>
      new GuestPromise((resolve, reject) => {
        // Nothing, if the script has given objects a `toJSON`.
        const text = (jsonStringify(payload) as string | undefined) ?? "null";
        const refusal = refusalOf(text);
        if (refusal !== null) throw codedError("quota.host_calls", refusal);
        post("call", last + 1, name, text);
        last += 1;
        open += 1;
        chars += text.length;
        mapSet(waiting, last, { resolve, reject, asked });
      }),
    settle: (call, ok, payload) => {
      const waiter = mapGet(waiting, call) as Waiter | undefined;
      if (waiter === undefined) return;
      mapDelete(waiting, call);
      open -= 1;
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

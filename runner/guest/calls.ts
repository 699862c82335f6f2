import { codedError, post } from "./bridge.ts";
import {
  GuestMap,
  GuestPromise,
  jsonParse,
  jsonStringify,
  mapDelete,
  mapGet,
  mapSet,
} from "./primordials.ts";

/** Questions to the host that have an answer. Values cross as JSON. */
export type Calls = {
  /** Rejects with an error that keeps its failure code. @throws quota.host_calls */
  call(name: string, payload: unknown): Promise<unknown>;
  /** The host's answer to call number `call`. */
  settle(call: number, ok: boolean, payload: string): void;
};

type Waiter = {
  readonly resolve: (value: unknown) => void;
  readonly reject: (error: unknown) => void;
};

type Fault = { readonly code: string; readonly message: string; readonly name: string };

export const createCalls = (most: number): Calls => {
  const waiting = new GuestMap<number, Waiter>();
  let last = 0;

  return {
    call: (name, payload) =>
      new GuestPromise((resolve, reject) => {
        if (last >= most) {
          throw codedError("quota.host_calls", `more than ${most} calls to the host`);
        }
        last += 1;
        mapSet(waiting, last, { resolve, reject });
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
      waiter.reject(codedError(code, message, name));
    },
  };
};

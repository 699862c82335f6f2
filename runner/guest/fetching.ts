import type { FetchRequest, FetchResponse } from "../fetch-wire.ts";
import { codedError } from "./bridge.ts";
import type { Calls } from "./calls.ts";
import type { Cancellation } from "./cancellation.ts";
import { GuestError, GuestPromise, list } from "./primordials.ts";

/**
 * Sends a request to the broker. Rejects with the broker's refusal; with the reason of `ctx.signal`
 * when that aborts while it waits; with quota.fetches beyond what an attempt may.
 */
export type Send = (request: FetchRequest) => Promise<FetchResponse>;

/** The credits of one attempt: the broker keeps to the same. */
const MOST = 50;
const AT_ONCE = 6;

export const createSend = (calls: Calls, cancellation: Cancellation): Send => {
  /** Those that wait for their turn, in order. */
  const waiting = list<() => void>();
  let next = 0;
  let made = 0;
  let open = 0;

  const leave = (): void => {
    open -= 1;
    const turn = waiting[next];
    if (turn === undefined) return;
    next += 1;
    open += 1;
    turn();
  };

  const ask = async (request: FetchRequest, asked: Error): Promise<FetchResponse> => {
    try {
      return (await calls.call("fetch", request, asked)) as FetchResponse;
    } finally {
      leave();
    }
  };

  return (request) => {
    const asked = new GuestError();
    return new GuestPromise((resolve, reject) => {
      made += 1;
      if (made > MOST) throw codedError("quota.fetches", `more than ${MOST} fetches`, "TypeError");
      let given = false;
      // Only what is under way then: a fetch that begins later is for tidying up.
      const forget = cancellation.whenAborted((reason) => {
        given = true;
        reject(reason);
      });
      const begin = async (): Promise<void> => {
        try {
          if (given) leave();
          else resolve(await ask(request, asked));
        } catch (cause) {
          reject(cause);
        }
        forget();
      };
      if (open < AT_ONCE) {
        open += 1;
        void begin();
      } else {
        waiting[waiting.length] = () => void begin();
      }
    });
  };
};

import { GuestTypeError, toNumber } from "../primordials.ts";
import { DOMException } from "./dom-exception.ts";
import { Event, EventTarget, getHandler, setHandler } from "./events.ts";

/** Only who holds this makes signals. */
const KEY = Symbol("signals");

type Handler = ((event: Event) => unknown) | null;

let later: (run: () => void, ms: number) => void;

export const connectTimers = (given: typeof later): void => {
  later = given;
};

let createSignal: () => AbortSignal;
let abortSignal: (signal: AbortSignal, reason: unknown) => void;

/** https://dom.spec.whatwg.org/#interface-AbortSignal */
export class AbortSignal extends EventTarget {
  #aborted = false;
  #reason: unknown = undefined;
  /** Made by `any` from this one. */
  #dependents: AbortSignal[] = [];

  constructor(key?: unknown) {
    if (key !== KEY) throw new GuestTypeError("Illegal constructor");
    super();
  }

  get aborted(): boolean {
    return this.#aborted;
  }

  get reason(): unknown {
    return this.#reason;
  }

  throwIfAborted(): void {
    if (this.#aborted) throw this.#reason;
  }

  get onabort(): Handler {
    return getHandler(this, "abort") as Handler;
  }

  set onabort(handler: Handler) {
    setHandler(this, "abort", handler);
  }

  static abort(reason: unknown = abortError()): AbortSignal {
    const signal = new AbortSignal(KEY);
    signal.#aborted = true;
    signal.#reason = reason;
    return signal;
  }

  static timeout(ms: unknown): AbortSignal {
    const wait = toNumber(ms);
    if (!(wait >= 0)) throw new GuestTypeError("AbortSignal.timeout needs a number of ms");
    const signal = new AbortSignal(KEY);
    const expire = (): void => {
      abortSignal(signal, timeoutError());
    };
    later(expire, wait);
    return signal;
  }

  static any(signals: Iterable<AbortSignal>): AbortSignal {
    const joined = new AbortSignal(KEY);
    const all = [...signals];
    for (const signal of all) {
      if (!(#dependents in signal)) throw new GuestTypeError("AbortSignal.any needs signals");
    }
    for (const signal of all) {
      if (!signal.#aborted) continue;
      joined.#aborted = true;
      joined.#reason = signal.#reason;
      return joined;
    }
    for (const signal of all) signal.#dependents.push(joined);
    return joined;
  }

  static {
    createSignal = () => new AbortSignal(KEY);
    // All that depend on it are aborted before the first listener hears of it.
    abortSignal = (signal, reason) => {
      if (signal.#aborted) return;
      const told: AbortSignal[] = [signal];
      for (const one of told) {
        one.#aborted = true;
        one.#reason = reason;
        for (const dependent of one.#dependents) if (!dependent.#aborted) told.push(dependent);
        one.#dependents = [];
      }
      for (const one of told) one.dispatchEvent(new Event("abort"));
    };
  }
}

export { abortSignal, createSignal };

export class AbortController {
  readonly #signal = createSignal();

  get signal(): AbortSignal {
    return this.#signal;
  }

  abort(reason: unknown = abortError()): void {
    abortSignal(this.#signal, reason);
  }
}

const abortError = (): DOMException => new DOMException("This operation was aborted", "AbortError");

const timeoutError = (): DOMException =>
  new DOMException("The operation was aborted due to timeout", "TimeoutError");

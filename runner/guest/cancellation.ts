import { withCode } from "./bridge.ts";
import type { Libraries } from "./libraries.ts";
import { list } from "./primordials.ts";
import type { AbortSignal } from "./web/abort.ts";

type Listener = (reason: unknown) => void;

/**
 * The end of an attempt's welcome: cancelled, or its time nearly over. Our own waits listen here;
 * the script's `ctx.signal` is made when it is first asked for, and told after them.
 */
export type Cancellation = {
  readonly reason: Error | undefined;
  /** Answers with how to stop listening. The caller looks at `reason` first. */
  whenAborted(listener: Listener): () => void;
  signal(): AbortSignal;
  /** Once. */
  abort(code: string, message: string, name: "AbortError" | "TimeoutError"): void;
};

export const createCancellation = (
  libraries: Libraries,
  failed: (thrown: unknown) => void,
): Cancellation => {
  let reason: Error | undefined;
  let listeners: readonly Listener[] = list<Listener>();
  let signal: AbortSignal | undefined;

  const tellScript = (): void => {
    if (signal === undefined || reason === undefined) return;
    try {
      libraries.abort().abortSignal(signal, reason);
    } catch (thrown) {
      failed(thrown);
    }
  };

  return {
    get reason() {
      return reason;
    },
    whenAborted: (listener) => {
      listeners = withOne(listeners, listener);
      return () => {
        listeners = without(listeners, listener);
      };
    },
    signal: () => {
      if (signal === undefined) {
        signal = libraries.abort().createSignal();
        tellScript();
      }
      return signal;
    },
    abort: (code, message, name) => {
      if (reason !== undefined) return;
      const { DOMException } = libraries.domException();
      reason = withCode(new DOMException(message, name), code);
      const told = listeners;
      listeners = list<Listener>();
      for (let i = 0; i < told.length; i++) (told[i] as Listener)(reason);
      tellScript();
    },
  };
};

/** Without the methods of Array, which the script may have patched. */
const withOne = (listeners: readonly Listener[], listener: Listener): readonly Listener[] => {
  const all = list<Listener>();
  for (let i = 0; i < listeners.length; i++) all[i] = listeners[i] as Listener;
  all[all.length] = listener;
  return all;
};

const without = (listeners: readonly Listener[], listener: Listener): readonly Listener[] => {
  const left = list<Listener>();
  for (let i = 0; i < listeners.length; i++) {
    if (listeners[i] !== listener) left[left.length] = listeners[i] as Listener;
  }
  return left;
};

import { entries } from "./entry.ts";

export const EVENTS = entries([
  {
    name: "AbortController",
    doc: "Aborts its `signal`.",
    declaration: `class AbortController {
  readonly signal: AbortSignal;
  abort(reason?: unknown): void;
}`,
  },
  {
    name: "AbortSignal",
    doc: "`ctx.signal` is one. `AbortSignal.abort`, `.timeout` and `.any` make others.",
    declaration: `class AbortSignal extends EventTarget {
  private constructor();
  static abort(reason?: unknown): AbortSignal;
  /** Takes one of the timers. */
  static timeout(ms: number): AbortSignal;
  static any(signals: Iterable<AbortSignal>): AbortSignal;
  readonly aborted: boolean;
  readonly reason: unknown;
  throwIfAborted(): void;
  onabort: ((this: AbortSignal, event: Event) => unknown) | null;
}`,
  },
  {
    name: "Event",
    doc: "An event, for `EventTarget`.",
    declaration: `class Event {
  constructor(
    type: string,
    init?: { readonly bubbles?: boolean; readonly cancelable?: boolean; readonly composed?: boolean },
  );
  readonly type: string;
  readonly target: EventTarget | null;
  readonly currentTarget: EventTarget | null;
  readonly bubbles: boolean;
  readonly cancelable: boolean;
  readonly composed: boolean;
  readonly defaultPrevented: boolean;
  readonly timeStamp: number;
  preventDefault(): void;
  stopPropagation(): void;
  stopImmediatePropagation(): void;
}`,
  },
  {
    name: "EventTarget",
    doc: "Listeners, added, removed and told. What a listener throws fails the attempt.",
    declaration: `class EventTarget {
  addEventListener(
    type: string,
    listener: Listener | null,
    options?: boolean | { readonly once?: boolean; readonly capture?: boolean; readonly signal?: AbortSignal },
  ): void;
  removeEventListener(
    type: string,
    listener: Listener | null,
    options?: boolean | { readonly capture?: boolean },
  ): void;
  dispatchEvent(event: Event): boolean;
}`,
  },
  {
    name: "DOMException",
    doc: "The error of the Web's own interfaces: its `name` tells which (`AbortError`, `TimeoutError`, `DataCloneError`, …).",
    declaration: `class DOMException extends Error {
  constructor(message?: string, name?: string | { readonly name?: string; readonly cause?: unknown });
  readonly name: string;
  readonly message: string;
  readonly code: number;
}`,
  },
]);

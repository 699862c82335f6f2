import { apply, list } from "./primordials.ts";

type Listener = (event: { readonly type: "abort"; readonly target: GuestSignal }) => void;
type Entry = { readonly listener: Listener; readonly once: boolean };

/** What a script sees of its cancellation: the part of AbortSignal that libraries use. */
export class GuestSignal {
  #aborted = false;
  #reason: unknown = undefined;
  #entries: readonly Entry[] = list<Entry>();
  onabort: Listener | null = null;

  get aborted(): boolean {
    return this.#aborted;
  }

  get reason(): unknown {
    return this.#reason;
  }

  throwIfAborted(): void {
    if (this.#aborted) throw this.#reason;
  }

  addEventListener(type: string, listener: unknown, options?: { readonly once?: boolean }): void {
    if (type !== "abort" || typeof listener !== "function") return;
    for (let i = 0; i < this.#entries.length; i++) {
      if ((this.#entries[i] as Entry).listener === listener) return;
    }
    this.#add({ listener: listener as Listener, once: options?.once === true });
  }

  removeEventListener(type: string, listener: unknown): void {
    if (type !== "abort") return;
    const kept = list<Entry>();
    for (let i = 0; i < this.#entries.length; i++) {
      const entry = this.#entries[i] as Entry;
      if (entry.listener !== listener) kept[kept.length] = entry;
    }
    this.#entries = kept;
  }

  #add(entry: Entry): void {
    const entries = list<Entry>();
    for (let i = 0; i < this.#entries.length; i++) entries[i] = this.#entries[i] as Entry;
    entries[entries.length] = entry;
    this.#entries = entries;
  }

  /** Once; `failed` gets what a listener throws. */
  static abort(signal: GuestSignal, reason: unknown, failed: (error: unknown) => void): void {
    if (signal.#aborted) return;
    signal.#aborted = true;
    signal.#reason = reason;
    const event = { type: "abort", target: signal } as const;
    const entries = signal.#entries;
    signal.#entries = list<Entry>();
    const call = (listener: Listener): void => {
      try {
        apply(listener, signal, [event]);
      } catch (error) {
        failed(error);
      }
    };
    for (let i = 0; i < entries.length; i++) call((entries[i] as Entry).listener);
    if (signal.onabort !== null) call(signal.onabort);
  }
}

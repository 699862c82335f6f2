import { defineProperty, deleteProperty, GuestTypeError } from "./primordials.ts";
import type { Timers } from "./timers.ts";

type Parts = {
  readonly console: object;
  readonly timers: Timers;
  readonly soon: (run: () => void) => Promise<void>;
  readonly failed: (thrown: unknown) => void;
};

/**
 * Means to allocate outside of the heap limit, or to build clocks. V8 gives them to every context;
 * types/guest.d.ts lists what is left.
 */
const REMOVED = ["WebAssembly", "SharedArrayBuffer", "Atomics"] as const;

for (let i = 0; i < REMOVED.length; i++) deleteProperty(globalThis, REMOVED[i] as string);

/** What a script finds on its global object besides the language itself. */
export const defineGlobals = ({ console, timers, soon, failed }: Parts): void => {
  const define = (name: string, value: unknown): void => {
    defineProperty(globalThis, name, {
      // Own properties only: a null prototype keeps polluted ones out.
      __proto__: null,
      value,
      writable: true,
      configurable: true,
      enumerable: false,
    } as PropertyDescriptor);
  };
  define("console", console);
  define("self", globalThis);
  define("setTimeout", (run: unknown, ms?: unknown, ...args: readonly unknown[]) =>
    timers.set(run, ms, args, false),
  );
  define("setInterval", (run: unknown, ms?: unknown, ...args: readonly unknown[]) =>
    timers.set(run, ms, args, true),
  );
  define("clearTimeout", timers.clear);
  define("clearInterval", timers.clear);
  define("queueMicrotask", (run: unknown) => {
    if (typeof run !== "function") throw new GuestTypeError("queueMicrotask needs a function");
    void soon(() => {
      try {
        (run as () => void)();
      } catch (thrown) {
        failed(thrown);
      }
    });
  });
};

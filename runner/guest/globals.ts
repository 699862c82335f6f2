import type { GlobalName } from "../surface/globals.ts";
import { REMOVED } from "../surface/removed.ts";
import type { Libraries } from "./libraries.ts";
import {
  defineHidden,
  defineProperty,
  deleteProperty,
  GuestTypeError,
  keys,
  max,
  now,
} from "./primordials.ts";
import type { Timers } from "./timers.ts";

type Parts = {
  readonly console: object;
  readonly timers: Timers;
  readonly libraries: Libraries;
  readonly soon: (run: () => void) => Promise<void>;
  readonly failed: (thrown: unknown) => void;
};

for (let i = 0; i < REMOVED.length; i++) deleteProperty(globalThis, REMOVED[i] as string);

const nameOf = (value: string): PropertyDescriptor =>
  ({ __proto__: null, value, configurable: true }) as PropertyDescriptor;

/** A library's part of the surface: made when it is first read, a plain property from then on. */
const defineLater = (name: string, make: () => unknown): void => {
  const become = (value: unknown): void => {
    defineHidden(globalThis, name, value);
  };
  defineProperty(globalThis, name, {
    __proto__: null,
    get: () => {
      const value = make();
      // The bundler gives another name to what has that of a global.
      if (typeof value === "function") defineProperty(value, "name", nameOf(name));
      become(value);
      return value;
    },
    set: become,
    configurable: true,
    enumerable: false,
  } as PropertyDescriptor);
};

/**
 * What a script finds on its global object besides the language itself: all of surface/globals.ts,
 * each name in one of the two lists.
 */
export const defineGlobals = ({ console, timers, libraries, soon, failed }: Parts): void => {
  const began = now();
  let latest = 0;

  const ready = {
    console,
    self: globalThis,
    setTimeout: (run: unknown, ms?: unknown, ...args: readonly unknown[]) =>
      timers.set(run, ms, args, false),
    setInterval: (run: unknown, ms?: unknown, ...args: readonly unknown[]) =>
      timers.set(run, ms, args, true),
    clearTimeout: timers.clear,
    clearInterval: timers.clear,
    queueMicrotask: (run: unknown) => {
      if (typeof run !== "function") throw new GuestTypeError("queueMicrotask needs a function");
      void soon(() => {
        try {
          (run as () => void)();
        } catch (thrown) {
          failed(thrown);
        }
      });
    },
    performance: {
      now: () => {
        latest = max(latest, now() - began);
        return latest;
      },
    },
  } satisfies Partial<Record<GlobalName, unknown>>;

  const later: Readonly<Record<Exclude<GlobalName, keyof typeof ready>, () => unknown>> = {
    AbortController: () => libraries.abort().AbortController,
    AbortSignal: () => libraries.abort().AbortSignal,
    DOMException: () => libraries.domException().DOMException,
    Event: () => libraries.events().Event,
    EventTarget: () => libraries.events().EventTarget,
    Headers: () => libraries.headers().Headers,
    Request: () => libraries.request().Request,
    Response: () => libraries.response().Response,
    TextDecoder: () => libraries.encoding().TextDecoder,
    TextEncoder: () => libraries.encoding().TextEncoder,
    URL: () => libraries.url().URL,
    URLSearchParams: () => libraries.url().URLSearchParams,
    atob: () => libraries.base64().atob,
    btoa: () => libraries.base64().btoa,
    crypto: () => libraries.crypto(),
    fetch: () => libraries.fetch().fetch,
    structuredClone: () => libraries.clone().structuredClone,
  };

  for (const name of keys(ready)) defineHidden(globalThis, name, ready[name as keyof typeof ready]);
  for (const name of keys(later)) defineLater(name, later[name as keyof typeof later]);
};

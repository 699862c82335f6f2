/**
 * What a script finds in Millrace's sandbox. Made by `node scripts/render-surface.ts` from
 * runner/surface. A script is one ES module:
 *
 *     import type { Context } from "../types/guest.d.ts";
 *
 *     export default async function (input: { name: string }, ctx: Context) {
 *       ctx.progress(0.5);
 *       return { greeting: `Hello, ${input.name}` };
 *     }
 *
 * To check a script:
 * `tsc --noEmit --ignoreConfig --strict --lib esnext --types "" --allowImportingTsExtensions script.ts`.
 * docs/scripts.md tells the limits and what happens at them.
 */

/** How far the work has come. What is left out stays as it was. It never goes back. */
export interface Progress {
  /** 0.0 to 1.0. Without it, `done` of `total` counts, within the current step if there are steps. */
  readonly fraction?: number;
  readonly done?: number;
  readonly total?: number;
  /** The current step, from 1, and how many there are. */
  readonly step?: number;
  readonly steps?: number;
  /** At most 500 characters. */
  readonly message?: string;
}

/** A job to be submitted: a `JobSpec` of the contract in its JSON form; `type` or `script` is needed. */
export interface ChildJob {
  /** The name of a registered type. */
  readonly type?: string;
  /** The newest, if absent. */
  readonly typeVersion?: number;
  readonly script?: {
    readonly source: string;
    readonly language?: "SCRIPT_LANGUAGE_JAVASCRIPT" | "SCRIPT_LANGUAGE_TYPESCRIPT";
  };
  /** A JSON value of at most 1 MiB. */
  readonly input?: unknown;
  readonly name?: string;
  /** -100 to 100. */
  readonly priority?: number;
  /** RFC 3339, such as `2026-01-31T12:00:00Z`. */
  readonly runAt?: string;
  /** In seconds, such as `30s`. */
  readonly attemptTimeout?: string;
  readonly totalTimeout?: string;
  readonly retryPolicy?: {
    readonly maxRetries?: number;
    readonly initialBackoff?: string;
    readonly maxBackoff?: string;
    readonly multiplier?: number;
    readonly jitter?: number;
  };
  readonly labels?: Readonly<Record<string, string>>;
  readonly concurrencyKey?: string;
  readonly callback?: { readonly url: string };
}

/** What a script's default export is: its result, as JSON, is the job's result. */
export type Script<Input = unknown, Result = unknown> = (
  input: Input,
  ctx: Context,
) => Result | Promise<Result>;

export type Listener = ((event: Event) => unknown) | { handleEvent(event: Event): unknown };

export type HeadersInit =
  | Headers
  | Iterable<readonly [string, string]>
  | Readonly<Record<string, string>>;

export type BodyInit = string | ArrayBuffer | ArrayBufferView | URLSearchParams;

export interface RequestInit {
  readonly method?: string;
  readonly headers?: HeadersInit;
  /** At most 1 MiB. */
  readonly body?: BodyInit | null;
  readonly redirect?: "follow" | "error" | "manual";
  readonly signal?: AbortSignal | null;
}

export interface ResponseInit {
  readonly status?: number;
  readonly statusText?: string;
  readonly headers?: HeadersInit;
}

export type HashName = "SHA-1" | "SHA-256" | "SHA-384" | "SHA-512";

/** The second argument of a script's default export. */
export interface Context {
  /** Which job. */
  readonly jobId: string;
  /** Which attempt of it: counts from 1, with each retry one more. */
  readonly attempt: number;
  /** An `AbortSignal`. Aborts when the job is cancelled (`AbortError`), and when nine tenths of the attempt's time are over (`TimeoutError`). */
  readonly signal: AbortSignal;
  /** The secrets that the operator gave to this organization, by name, each as a placeholder: the broker puts the value in when a request leaves for where it belongs. */
  readonly secrets: Readonly<Record<string, string>>;
  /** Rows of output, stream LOG. */
  log(...values: readonly unknown[]): void;
  /** Text as rows of output, stream STDOUT, one for each line. */
  output(text: string): void;
  /** How far the work has come: a fraction from 0.0 to 1.0, or `{ fraction, done, total, step, steps, message }`, all optional. Without `fraction`, `done` of `total` counts, within the current step if there are steps. It never goes back within an attempt. */
  progress(progress: number | Progress): void;
  /** `step(name, run)` runs `run` once for all attempts of the job: its JSON result is kept, and another attempt gets that instead. */
  step<T>(name: string, run: () => T | Promise<T>): Promise<T>;
  /** `submit(name, job)` submits a job of this one's own, for the user that this one acts for, and gives its id. The name counts once for all attempts: whoever comes with it again gets the first job. It is cancelled with this one. */
  submit(name: string, job: ChildJob): Promise<string>;
  /** The result of a job that was submitted by `submit`, once it has succeeded. Throws a `ChildError` when it has failed or was cancelled. Meanwhile this job counts towards no limit. */
  waitFor<T>(jobId: string): Promise<T>;
  /** Waits; rejects with the signal's reason when that aborts. */
  sleep(ms: number): Promise<void>;
}

/** Besides the language itself (ECMAScript, with Intl and Temporal) there is nothing but this. */
declare global {
  /** `log`, `info`, `debug`, `dir`, `group`, `count`, `timeEnd` write to STDOUT; `error`, `warn`, `trace`, `assert` to STDERR. */
  var console: {
    log(...values: readonly unknown[]): void;
    info(...values: readonly unknown[]): void;
    debug(...values: readonly unknown[]): void;
    dir(value: unknown): void;
    group(...values: readonly unknown[]): void;
    groupEnd(): void;
    count(label?: string): void;
    time(label?: string): void;
    timeEnd(label?: string): void;
    error(...values: readonly unknown[]): void;
    warn(...values: readonly unknown[]): void;
    trace(...values: readonly unknown[]): void;
    assert(condition: unknown, ...values: readonly unknown[]): void;
  };
  /** Calls a function later. Answers with a number. What still waits when the script returns is dropped. */
  function setTimeout<A extends readonly unknown[]>(
    run: (...args: A) => unknown,
    ms?: number,
    ...args: A
  ): number;
  /** Calls a function again and again. */
  function setInterval<A extends readonly unknown[]>(
    run: (...args: A) => unknown,
    ms?: number,
    ...args: A
  ): number;
  /** Takes a timer back. */
  function clearTimeout(id: number | undefined): void;
  /** Takes a timer back. */
  function clearInterval(id: number | undefined): void;
  /** Calls a function before anything else happens. */
  function queueMicrotask(run: () => void): void;
  /** `now()`: milliseconds since the attempt began, whole ones, never going back. */
  var performance: { now(): number };
  /** The global object. */
  var self: typeof globalThis;
  /** A deep copy; moves the ArrayBuffers in `transfer`. Class instances become plain objects. */
  function structuredClone<T>(
    value: T,
    options?: { readonly transfer?: readonly ArrayBuffer[] },
  ): T;
  /** Aborts its `signal`. */
  class AbortController {
    readonly signal: AbortSignal;
    abort(reason?: unknown): void;
  }
  /** `ctx.signal` is one. `AbortSignal.abort`, `.timeout` and `.any` make others. */
  class AbortSignal extends EventTarget {
    private constructor();
    static abort(reason?: unknown): AbortSignal;
    /** Takes one of the timers. */
    static timeout(ms: number): AbortSignal;
    static any(signals: Iterable<AbortSignal>): AbortSignal;
    readonly aborted: boolean;
    readonly reason: unknown;
    throwIfAborted(): void;
    onabort: ((this: AbortSignal, event: Event) => unknown) | null;
  }
  /** An event, for `EventTarget`. */
  class Event {
    constructor(
      type: string,
      init?: {
        readonly bubbles?: boolean;
        readonly cancelable?: boolean;
        readonly composed?: boolean;
      },
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
  }
  /** Listeners, added, removed and told. What a listener throws fails the attempt. */
  class EventTarget {
    addEventListener(
      type: string,
      listener: Listener | null,
      options?:
        | boolean
        | { readonly once?: boolean; readonly capture?: boolean; readonly signal?: AbortSignal },
    ): void;
    removeEventListener(
      type: string,
      listener: Listener | null,
      options?: boolean | { readonly capture?: boolean },
    ): void;
    dispatchEvent(event: Event): boolean;
  }
  /** The error of the Web's own interfaces: its `name` tells which (`AbortError`, `TimeoutError`, `DataCloneError`, …). */
  class DOMException extends Error {
    constructor(
      message?: string,
      name?: string | { readonly name?: string; readonly cause?: unknown },
    );
    readonly name: string;
    readonly message: string;
    readonly code: number;
  }
  /** The URL Standard's `URL`, with `canParse` and `parse`. */
  class URL {
    constructor(url: string | URL, base?: string | URL);
    static canParse(url: string | URL, base?: string | URL): boolean;
    static parse(url: string | URL, base?: string | URL): URL | null;
    href: string;
    readonly origin: string;
    protocol: string;
    username: string;
    password: string;
    host: string;
    hostname: string;
    port: string;
    pathname: string;
    search: string;
    readonly searchParams: URLSearchParams;
    hash: string;
    toString(): string;
    toJSON(): string;
  }
  /** The URL Standard's `URLSearchParams`. */
  class URLSearchParams {
    constructor(
      init?:
        | string
        | URLSearchParams
        | Readonly<Record<string, string>>
        | Iterable<readonly [string, string]>,
    );
    readonly size: number;
    append(name: string, value: string): void;
    delete(name: string, value?: string): void;
    get(name: string): string | null;
    getAll(name: string): string[];
    has(name: string, value?: string): boolean;
    set(name: string, value: string): void;
    sort(): void;
    forEach(
      each: (value: string, name: string, parent: URLSearchParams) => void,
      thisArg?: unknown,
    ): void;
    keys(): IterableIterator<string>;
    values(): IterableIterator<string>;
    entries(): IterableIterator<[string, string]>;
    [Symbol.iterator](): IterableIterator<[string, string]>;
    toString(): string;
  }
  /** Text to UTF-8: `encode`, `encodeInto`. */
  class TextEncoder {
    readonly encoding: "utf-8";
    encode(text?: string): Uint8Array<ArrayBuffer>;
    encodeInto(text: string, target: Uint8Array): { read: number; written: number };
  }
  /** Bytes to text: UTF-8, UTF-16 (LE, BE) and the single-byte encodings of the Encoding Standard (`latin1`, `windows-1252`, …); no East Asian ones. */
  class TextDecoder {
    constructor(
      label?: string,
      options?: { readonly fatal?: boolean; readonly ignoreBOM?: boolean },
    );
    readonly encoding: string;
    readonly fatal: boolean;
    readonly ignoreBOM: boolean;
    decode(bytes?: ArrayBuffer | ArrayBufferView, options?: { readonly stream?: boolean }): string;
  }
  /** Base64 to a string of bytes. */
  function atob(base64: string): string;
  /** A string of bytes to Base64. */
  function btoa(bytes: string): string;
  /** `getRandomValues`, `randomUUID`, and `subtle.digest` for SHA-1, SHA-256, SHA-384 and SHA-512. */
  var crypto: {
    /** At most 65,536 bytes at once. */
    getRandomValues<T extends ArrayBufferView>(integers: T): T;
    randomUUID(): `${string}-${string}-${string}-${string}-${string}`;
    subtle: {
      digest(
        algorithm: HashName | { readonly name: HashName },
        data: ArrayBuffer | ArrayBufferView,
      ): Promise<ArrayBuffer>;
    };
  };
  /** A request over the network, as far as the operator allows it; see [Network](#network). */
  function fetch(input: string | URL | Request, init?: RequestInit): Promise<Response>;
  /** The headers of a request or a response. */
  class Headers {
    constructor(init?: HeadersInit);
    append(name: string, value: string): void;
    delete(name: string): void;
    get(name: string): string | null;
    getSetCookie(): string[];
    has(name: string): boolean;
    set(name: string, value: string): void;
    forEach(each: (value: string, name: string, parent: Headers) => void, thisArg?: unknown): void;
    keys(): IterableIterator<string>;
    values(): IterableIterator<string>;
    entries(): IterableIterator<[string, string]>;
    [Symbol.iterator](): IterableIterator<[string, string]>;
  }
  /** A request. Its body is text, bytes or `URLSearchParams`; there are no streams, blobs or forms. */
  class Request {
    constructor(input: string | URL | Request, init?: RequestInit);
    readonly url: string;
    readonly method: string;
    readonly headers: Headers;
    readonly redirect: "follow" | "error" | "manual";
    readonly signal: AbortSignal;
    readonly bodyUsed: boolean;
    text(): Promise<string>;
    json(): Promise<unknown>;
    arrayBuffer(): Promise<ArrayBuffer>;
    bytes(): Promise<Uint8Array<ArrayBuffer>>;
    clone(): Request;
  }
  /** A response: `status`, `headers`, and the body by `text`, `json`, `arrayBuffer` or `bytes`. */
  class Response {
    constructor(body?: BodyInit | null, init?: ResponseInit);
    static error(): Response;
    static json(value: unknown, init?: ResponseInit): Response;
    static redirect(url: string | URL, status?: number): Response;
    readonly type: "default" | "basic" | "error" | "opaqueredirect";
    readonly url: string;
    readonly redirected: boolean;
    readonly status: number;
    readonly ok: boolean;
    readonly statusText: string;
    readonly headers: Headers;
    readonly bodyUsed: boolean;
    text(): Promise<string>;
    json(): Promise<unknown>;
    arrayBuffer(): Promise<ArrayBuffer>;
    bytes(): Promise<Uint8Array<ArrayBuffer>>;
    clone(): Response;
  }
}

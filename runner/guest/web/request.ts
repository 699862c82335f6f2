import { AbortController, AbortSignal } from "./abort.ts";
import { Body, type BodyInit, contentOf, give, peek, take } from "./body.ts";
import { Headers, type HeadersInit } from "./headers.ts";
import { URL } from "./url.ts";

export type RequestInit = {
  readonly method?: string;
  readonly headers?: HeadersInit;
  readonly body?: BodyInit | null;
  readonly redirect?: "follow" | "error" | "manual";
  readonly signal?: AbortSignal | null;
};

const NORMALISED = /^(delete|get|head|options|post|put)$/i;
const FORBIDDEN = /^(connect|trace|track)$/i;
const TOKEN = /^[!#$%&'*+\-.^_`|~0-9A-Za-z]+$/;

const methodOf = (given: unknown): string => {
  const method = String(given);
  if (!TOKEN.test(method) || FORBIDDEN.test(method)) {
    throw new TypeError(`${JSON.stringify(method)} is not a method that can be used`);
  }
  return NORMALISED.test(method) ? method.toUpperCase() : method;
};

const urlOf = (input: unknown): string => {
  const text = String(input);
  const url = URL.parse(text);
  if (url === null) throw new TypeError(`Failed to parse URL from ${text}`);
  if (url.username !== "" || url.password !== "") {
    throw new TypeError(`the URL ${text} holds credentials: put them into a header`);
  }
  return url.href;
};

const redirectOf = (redirect: unknown): "follow" | "error" | "manual" => {
  if (redirect === "follow" || redirect === "error" || redirect === "manual") return redirect;
  throw new TypeError(`redirect is follow, error or manual, not ${String(redirect)}`);
};

/** https://fetch.spec.whatwg.org/#request-class, without what only a browser has. */
export class Request extends Body {
  readonly #url: string;
  readonly #method: string;
  readonly #headers: Headers;
  readonly #redirect: "follow" | "error" | "manual";
  readonly #signal: AbortSignal;

  constructor(input: unknown, init: RequestInit = {}) {
    super();
    const from = input instanceof Request ? input : null;
    this.#url = from === null ? urlOf(input) : from.url;
    this.#method = init.method === undefined ? (from?.method ?? "GET") : methodOf(init.method);
    this.#headers = new Headers(init.headers ?? from?.headers);
    this.#redirect = redirectOf(init.redirect ?? from?.redirect ?? "follow");
    const signal = init.signal === undefined ? from?.signal : init.signal;
    this.#signal = signal ? AbortSignal.any([signal]) : new AbortController().signal;
    const content = contentOf(init.body) ?? (from === null ? null : inherited(from));
    if (content !== null && (this.#method === "GET" || this.#method === "HEAD")) {
      throw new TypeError("Request with GET/HEAD method cannot have body.");
    }
    give(this, content, this.#headers);
  }

  get url(): string {
    return this.#url;
  }

  get method(): string {
    return this.#method;
  }

  get headers(): Headers {
    return this.#headers;
  }

  get redirect(): "follow" | "error" | "manual" {
    return this.#redirect;
  }

  get signal(): AbortSignal {
    return this.#signal;
  }

  clone(): Request {
    const bytes = peek(this);
    return new Request(this.#url, {
      method: this.#method,
      headers: this.#headers,
      body: bytes,
      redirect: this.#redirect,
      signal: this.#signal,
    });
  }

  get [Symbol.toStringTag](): string {
    return "Request";
  }
}

const inherited = (from: Request): ReturnType<typeof contentOf> => {
  const bytes = take(from);
  return bytes === null ? null : { bytes, type: null };
};

import type { FetchResponse } from "../../fetch-wire.ts";
import { toText } from "../primordials.ts";
import { Body, type BodyInit, contentOf, give, peek } from "./body.ts";
import { Headers, type HeadersInit } from "./headers.ts";
import { URL } from "./url.ts";

/** As a script may give it. */
export type ResponseInit = {
  readonly status?: unknown;
  readonly statusText?: unknown;
  readonly headers?: HeadersInit;
};

type Type = "default" | "basic" | "error" | "opaqueredirect";
/** What only we can say of a response. */
type Origin = { readonly type: Type; readonly url: string; readonly redirected: boolean };

const MADE_HERE: Origin = { type: "default", url: "", redirected: false };
const WITHOUT_BODY: readonly number[] = [101, 103, 204, 205, 304];
const REDIRECTS: readonly number[] = [301, 302, 303, 307, 308];
const REASON = /^[\t\x20-\x7e\x80-\xff]*$/;

let made: (
  body: unknown,
  init: ResponseInit & { readonly status: number },
  origin: Origin,
) => Response;

/** https://fetch.spec.whatwg.org/#response-class, without what only a browser has. */
export class Response extends Body {
  #status: number;
  readonly #statusText: string;
  readonly #headers: Headers;
  #origin: Origin = MADE_HERE;

  constructor(body: BodyInit | null = null, init: ResponseInit = {}) {
    super();
    const status = Math.trunc(Number(init.status ?? 200));
    if (!(status >= 200 && status <= 599)) {
      throw new RangeError(`the status ${String(init.status)} is not within 200 to 599`);
    }
    this.#status = status;
    this.#statusText = toText(init.statusText ?? "");
    if (!REASON.test(this.#statusText)) throw new TypeError("Invalid statusText");
    this.#headers = new Headers(init.headers);
    const content = contentOf(body);
    if (content !== null && WITHOUT_BODY.includes(status)) {
      throw new TypeError(`a response with the status ${status} has no body`);
    }
    give(this, content, this.#headers);
  }

  static {
    made = (body, init, origin) => {
      const response = new Response(null, { ...init, status: 200 });
      response.#status = init.status;
      response.#origin = origin;
      give(response, contentOf(body), new Headers());
      return response;
    };
  }

  static error(): Response {
    return made(null, { status: 0 }, { ...MADE_HERE, type: "error" });
  }

  static json(value: unknown, init: ResponseInit = {}): Response {
    const text = JSON.stringify(value) as string | undefined;
    if (text === undefined) throw new TypeError("Value is not JSON serializable");
    const headers = new Headers(init.headers);
    if (!headers.has("content-type")) headers.set("content-type", "application/json");
    return new Response(text, { ...init, headers });
  }

  static redirect(url: unknown, status = 302): Response {
    const to = URL.parse(String(url));
    if (to === null) throw new TypeError(`Failed to parse URL from ${String(url)}`);
    if (!REDIRECTS.includes(status)) throw new RangeError(`Invalid status code ${status}`);
    return new Response(null, { status, headers: { location: to.href } });
  }

  get type(): Type {
    return this.#origin.type;
  }

  get url(): string {
    return this.#origin.url;
  }

  get redirected(): boolean {
    return this.#origin.redirected;
  }

  get status(): number {
    return this.#status;
  }

  get ok(): boolean {
    return this.#status >= 200 && this.#status <= 299;
  }

  get statusText(): string {
    return this.#statusText;
  }

  get headers(): Headers {
    return this.#headers;
  }

  clone(): Response {
    const init = {
      status: this.#status,
      statusText: this.#statusText,
      headers: this.#headers,
    };
    return made(peek(this), init, this.#origin);
  }

  get [Symbol.toStringTag](): string {
    return "Response";
  }
}

/** What the broker answered. With `redirect: "manual"` that may be a redirect. */
export const responseFrom = (wire: FetchResponse): Response => {
  const { status, url, redirected } = wire;
  const statusText = REASON.test(wire.statusText) ? wire.statusText : "";
  const headers = new Headers();
  for (const [name, value] of wire.headers) headers.append(name, value);
  const body = WITHOUT_BODY.includes(status) ? null : Uint8Array.fromBase64(wire.body);
  return made(body, { status, statusText, headers }, { type: "basic", url, redirected });
};

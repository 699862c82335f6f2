import { entries } from "./entry.ts";

export const NETWORK = entries([
  {
    name: "fetch",
    doc: "A request over the network, as far as the operator allows it; see [Network](#network).",
    declaration: `function fetch(input: string | URL | Request, init?: RequestInit): Promise<Response>;`,
  },
  {
    name: "Headers",
    doc: "The headers of a request or a response.",
    declaration: `class Headers {
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
}`,
  },
  {
    name: "Request",
    doc: "A request. Its body is text, bytes or `URLSearchParams`; there are no streams, blobs or forms.",
    declaration: `class Request {
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
}`,
  },
  {
    name: "Response",
    doc: "A response: `status`, `headers`, and the body by `text`, `json`, `arrayBuffer` or `bytes`.",
    declaration: `class Response {
  constructor(
    body?: BodyInit | null,
    init?: ResponseInit,
  );
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
}`,
  },
]);

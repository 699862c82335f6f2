import type { Dispatcher, Pool } from "undici";

import { HostFault } from "../host-calls.ts";
import { ACCEPTED_CODINGS, readBody } from "./body.ts";
import { EGRESS_LIMITS } from "./limits.ts";
import { failed, timedOut, tooLarge } from "./refusal.ts";
import type { Header } from "./request.ts";

/** One request as it goes out: everything in it has been checked. */
export type Outgoing = {
  readonly url: URL;
  readonly method: string;
  readonly headers: readonly Header[];
  readonly body: Buffer | null;
  readonly responseBytes: number;
};

export type Incoming = {
  readonly status: number;
  readonly statusText: string;
  readonly headers: readonly Header[];
  /** Of a redirect it is not read. */
  readonly body: Buffer;
};

const REDIRECTS: ReadonlySet<number> = new Set([301, 302, 303, 307, 308]);
const NO_BODY: ReadonlySet<number> = new Set([204, 205, 304]);

export const locationOf = ({ status, headers }: Pick<Incoming, "status" | "headers">) =>
  REDIRECTS.has(status) ? valueOf(headers, "location") : undefined;

const valueOf = (headers: readonly Header[], wanted: string): string | undefined =>
  headers.find(([name]) => name.toLowerCase() === wanted)?.[1];

/** `name` is for messages. @throws HostFault; the signal's reason */
export const exchange = async (
  pool: Pool,
  outgoing: Outgoing,
  name: string,
  signal: AbortSignal,
): Promise<Incoming> => {
  try {
    return await converse(pool, outgoing, signal);
  } catch (cause) {
    signal.throwIfAborted();
    throw cause instanceof HostFault ? cause : explained(cause, name);
  }
};

const converse = async (
  pool: Pool,
  { url, method, headers, body, responseBytes }: Outgoing,
  signal: AbortSignal,
): Promise<Incoming> => {
  const response = await pool.request({
    path: url.pathname + url.search,
    method,
    headers: [...withDefaults(headers), ["accept-encoding", ACCEPTED_CODINGS] as const].flat(),
    body,
    signal,
    headersTimeout: EGRESS_LIMITS.headersMs,
    // The time of the whole fetch is the broker's.
    bodyTimeout: 0,
    responseHeaders: "raw",
  });
  const head = {
    status: response.statusCode,
    statusText: response.statusText,
    headers: pairsOf(response),
  };
  if (locationOf(head) !== undefined || NO_BODY.has(head.status) || method === "HEAD") {
    // A little of it is read, so that the connection can be used again.
    await response.body.dump({ limit: 16 * 1024, signal });
    return { ...head, body: Buffer.alloc(0) };
  }
  const coding = valueOf(head.headers, "content-encoding") ?? "";
  return { ...head, body: await readBody(response.body, coding, responseBytes) };
};

const DEFAULTS: readonly Header[] = [
  ["accept", "*/*"],
  ["user-agent", "millrace"],
];

const withDefaults = (headers: readonly Header[]): Header[] => [
  ...DEFAULTS.filter(([name]) => valueOf(headers, name) === undefined),
  ...headers,
];

/** `responseHeaders: "raw"` gives a flat list, in which a name may come twice. */
const pairsOf = ({ headers }: Dispatcher.ResponseData): Header[] => {
  const flat = headers as unknown as readonly string[];
  const pairs: Header[] = [];
  for (let at = 0; at + 1 < flat.length; at += 2) pairs.push([flat[at] ?? "", flat[at + 1] ?? ""]);
  return pairs;
};

/** Codes of the system, of TLS, of zlib and of undici: they name no address. */
const codeOf = (cause: unknown): string => {
  if (!(cause instanceof Error)) return "";
  if ("code" in cause && typeof cause.code === "string") return cause.code;
  return cause.name === "HTTPParserError" ? "its answer is not HTTP/1.1" : "";
};

const explained = (cause: unknown, name: string): HostFault => {
  const code = codeOf(cause);
  const { connectMs, headersMs, headerBytes } = EGRESS_LIMITS;
  switch (code) {
    case "UND_ERR_CONNECT_TIMEOUT":
      return timedOut(`no connection to ${name} within ${connectMs} ms`);
    case "UND_ERR_HEADERS_TIMEOUT":
      return timedOut(`no answer of ${name} within ${headersMs} ms`);
    case "UND_ERR_HEADERS_OVERFLOW":
      return tooLarge(`the headers of the response have more than ${headerBytes} bytes`);
    default:
      return failed(`the exchange with ${name} failed${code === "" ? "" : `: ${code}`}`);
  }
};

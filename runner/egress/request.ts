import { z } from "zod";

import type { FetchRequest } from "../fetch-wire.ts";
import { isHeaderName, isHeaderValue, isReserved } from "./header-rules.ts";
import { EGRESS_LIMITS } from "./limits.ts";
import { denied, tooLarge } from "./refusal.ts";

export type Header = readonly [name: string, value: string];

/** A request as a script wants it, before it is known where it may go. */
export type Wanted = {
  readonly url: string;
  readonly method: string;
  readonly headers: readonly Header[];
  readonly body: Buffer | null;
  readonly redirect: FetchRequest["redirect"];
};

const schema = z.strictObject({
  url: z.string(),
  method: z.string(),
  headers: z.array(z.tuple([z.string(), z.string()])),
  body: z.string().nullable(),
  redirect: z.enum(["follow", "error", "manual"]),
});

const METHOD = /^[!#$%&'*+\-.^_`|~0-9A-Za-z]{1,20}$/;
const REFUSED_METHODS: ReadonlySet<string> = new Set(["CONNECT", "TRACE", "TRACK"]);

/** @throws ZodError: it does not come from our guest. HostFault: it breaks a rule */
export const parseRequest = (payload: unknown): Wanted => {
  const { url, method, headers, body, redirect } = schema.parse(payload);
  if (url.length > EGRESS_LIMITS.urlChars) {
    throw tooLarge(
      `the URL has ${url.length} characters; at most ${EGRESS_LIMITS.urlChars} are allowed`,
    );
  }
  if (!METHOD.test(method) || REFUSED_METHODS.has(method.toUpperCase())) {
    throw denied(`the method ${JSON.stringify(method.slice(0, 20))} is not allowed`);
  }
  checkHeaders(headers);
  const bytes = body === null ? null : Buffer.from(body, "base64");
  if (bytes !== null && bytes.length > EGRESS_LIMITS.requestBytes) {
    const most = EGRESS_LIMITS.requestBytes;
    throw tooLarge(`the request's body has ${bytes.length} bytes; at most ${most} are allowed`);
  }
  if (bytes !== null && (method === "GET" || method === "HEAD")) {
    throw denied(`a ${method} request has no body`);
  }
  return { url, method, headers, body: bytes, redirect };
};

const checkHeaders = (headers: readonly Header[]): void => {
  if (headers.length > EGRESS_LIMITS.headers) {
    throw tooLarge(`${headers.length} headers; at most ${EGRESS_LIMITS.headers} are allowed`);
  }
  for (const [name, value] of headers) {
    if (!isHeaderName(name)) throw denied(`${JSON.stringify(name.slice(0, 100))} is not a header`);
    if (!isHeaderValue(value)) throw denied(`the header ${name} holds what no header may`);
    if (isReserved(name)) throw denied(`the header ${name} is set by the runner`);
  }
  checkHeaderBytes(headers);
};

/** Also after secrets were put in. @throws HostFault */
export const checkHeaderBytes = (headers: readonly Header[]): void => {
  const bytes = headers.reduce((sum, [name, value]) => sum + name.length + value.length + 4, 0);
  if (bytes <= EGRESS_LIMITS.headerBytes) return;
  throw tooLarge(
    `the headers have ${bytes} bytes; at most ${EGRESS_LIMITS.headerBytes} are allowed`,
  );
};

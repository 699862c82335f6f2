/** Names and values as RFC 9110 has them: no line breaks, so that nobody begins a header of his own. */
export const isHeaderName = (name: string): boolean => /^[!#$%&'*+\-.^_`|~0-9A-Za-z]+$/.test(name);
export const isHeaderValue = (value: string): boolean => /^[\t\x20-\x7e\x80-\xff]*$/.test(value);

/** They say where a message ends, or to whom it goes: the runner's alone. */
const RESERVED: ReadonlySet<string> = new Set([
  "accept-encoding",
  "connection",
  "content-length",
  "expect",
  "host",
  "http2-settings",
  "keep-alive",
  "te",
  "trailer",
  "transfer-encoding",
  "upgrade",
]);

/** What another layer believes because only a gateway is supposed to say it. */
const TRUSTED_BY_UPSTREAMS: ReadonlySet<string> = new Set([
  "cookie",
  "forwarded",
  "via",
  "x-real-ip",
]);

/** Whether a script may not set it anywhere. */
export const isReserved = (name: string): boolean => {
  const lower = name.toLowerCase();
  return RESERVED.has(lower) || lower.startsWith("proxy-");
};

/** Whether a script may not set it for a named upstream. */
export const isReservedUpstream = (name: string): boolean => {
  const lower = name.toLowerCase();
  return isReserved(lower) || TRUSTED_BY_UPSTREAMS.has(lower) || lower.startsWith("x-forwarded-");
};

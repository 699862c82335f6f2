import { isIP } from "node:net";

import { isPublicAddress } from "../../src/outgoing/public-address.ts";

/** Scheme, host and port, the host with at most one wildcard: `https://*.example.org:8443`. */
export type OriginPattern = {
  readonly text: string;
  readonly protocol: string;
  /** In ASCII; for a wildcard what follows its label, with the dot: `.example.org`. */
  readonly host: string;
  /** Empty: the usual one of the scheme. */
  readonly port: string;
  readonly wildcard: boolean;
};

/** Says what is wrong with it instead. */
export const parseOriginPattern = (text: string): OriginPattern | string => {
  const wildcard = /^https?:\/\/\*\./.test(text);
  let url: URL;
  try {
    url = new URL(wildcard ? text.replace("*.", "") : text);
  } catch {
    return "must be an origin such as https://api.example.com or https://*.example.org:8443";
  }
  if (url.protocol !== "http:" && url.protocol !== "https:") return "must begin with http or https";
  const { hostname, port, protocol } = url;
  if (url.pathname !== "/" || url.search !== "" || url.hash !== "" || url.username !== "") {
    return "must be scheme, host and port only";
  }
  if (hostname.includes("*")) return "may have one wildcard, as the first label of the host";
  const address = hostname.replace(/^\[|\]$/g, "");
  if (isIP(address) !== 0 && !isPublicAddress(address)) {
    return "must not be a private address: name an upstream for it";
  }
  if (wildcard && (isIP(address) !== 0 || !/[^.]\.[^.]/.test(hostname))) {
    return "a wildcard must be followed by a name of two labels or more";
  }
  return { text, protocol, host: wildcard ? `.${hostname}` : hostname, port, wildcard };
};

/** A wildcard stands for exactly one label, as in a certificate. */
export const matchesOrigin = (pattern: OriginPattern, url: URL): boolean =>
  url.protocol === pattern.protocol &&
  url.port === pattern.port &&
  (pattern.wildcard
    ? url.hostname.endsWith(pattern.host) && isOneLabel(url.hostname.slice(0, -pattern.host.length))
    : url.hostname === pattern.host);

const isOneLabel = (text: string): boolean => text !== "" && !text.includes(".");

/** Whether all that `inner` matches is matched by `outer`. */
export const coversOrigin = (outer: OriginPattern, inner: OriginPattern): boolean =>
  outer.protocol === inner.protocol &&
  outer.port === inner.port &&
  (outer.wildcard && !inner.wildcard
    ? matchesOrigin(outer, new URL(inner.text))
    : outer.wildcard === inner.wildcard && outer.host === inner.host);

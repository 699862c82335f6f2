import { type OriginPattern, matchesOrigin } from "./origin-pattern.ts";
import { denied } from "./refusal.ts";

/** Another layer of the system, as the operator has named it. */
export type Upstream = {
  readonly name: string;
  /** Its path ends with a slash. */
  readonly base: URL;
  readonly token: "job" | "none";
  /** Undefined: all. */
  readonly organizations: readonly string[] | undefined;
  /** Secrets are put in already. */
  readonly headers: readonly (readonly [name: string, value: string])[];
  readonly wholeMs: number;
  readonly responseBytes: number;
};

/** The public internet, as far as it is allowed. */
export type PublicRules = {
  readonly allow: readonly OriginPattern[];
  readonly organizations: readonly string[] | undefined;
  readonly wholeMs: number;
  readonly responseBytes: number;
};

/** Where a request goes: its rules, and the real URL. */
export type Destination =
  | { readonly kind: "upstream"; readonly upstream: Upstream; readonly url: URL }
  | { readonly kind: "public"; readonly rules: PublicRules; readonly url: URL };

export type Rules = {
  readonly upstreams: ReadonlyMap<string, Upstream>;
  readonly egress: PublicRules | undefined;
};

export const servesOrganization = (
  organizations: readonly string[] | undefined,
  organizationId: string,
): boolean => organizations === undefined || organizations.includes(organizationId);

/** Pure: nothing has been resolved yet. @throws HostFault egress.denied */
export const destinationOf = (text: string, rules: Rules, organizationId: string): Destination => {
  const url = URL.canParse(text) ? new URL(text) : null;
  if (url === null) throw denied("that is not an absolute URL");
  return url.protocol === "upstream:"
    ? upstreamDestination(url, rules, organizationId)
    : publicDestination(url, rules, organizationId);
};

const upstreamDestination = (url: URL, rules: Rules, organizationId: string): Destination => {
  const name = url.hostname;
  const upstream = rules.upstreams.get(name);
  if (upstream === undefined || !servesOrganization(upstream.organizations, organizationId)) {
    throw denied(`there is no upstream ${JSON.stringify(name.slice(0, 50))} for this organization`);
  }
  if (url.port !== "" || url.username !== "" || url.password !== "") {
    throw denied("the URL of an upstream has a name and a path only");
  }
  if (climbs(url.pathname)) {
    throw denied(`the path leads out of the upstream ${name}`);
  }
  const real = new URL(upstream.base);
  real.pathname += url.pathname.replace(/^\//, "");
  real.search = url.search;
  if (!isBelow(upstream.base, real)) throw denied(`the path leads out of the upstream ${name}`);
  return { kind: "upstream", upstream, url: real };
};

/** The last one has no dots that URL itself would not have resolved. */
const MOST_DECODINGS = 5;

/**
 * Whether somebody who decodes more than he should, takes a backslash for a slash, or cuts off what
 * follows a semicolon, would see a segment `.` or `..` in it.
 */
const climbs = (path: string): boolean => {
  let text = path;
  for (let round = 0; round < MOST_DECODINGS; round++) {
    const decoded = text.replace(/%(2e|2f|5c|25|3b)/gi, (code) => decodeURIComponent(code));
    if (hasDots(decoded)) return true;
    if (decoded === text) return /%(0[0-9a-f]|1[0-9a-f]|7f)/i.test(text);
    text = decoded;
  }
  return true;
};

const hasDots = (path: string): boolean =>
  path.split(/[/\\]/).some((segment) => /^\.{1,2}(;|$)/.test(segment));

const isBelow = (base: URL, url: URL): boolean =>
  url.origin === base.origin && url.pathname.startsWith(base.pathname);

const publicDestination = (url: URL, rules: Rules, organizationId: string): Destination => {
  if (url.protocol !== "http:" && url.protocol !== "https:") {
    throw denied(`${url.protocol} is not fetched: use http, https or upstream`);
  }
  if (url.username !== "" || url.password !== "") {
    throw denied("a URL with a user or a password is not fetched: use the header authorization");
  }
  const { egress } = rules;
  const allowed =
    egress !== undefined &&
    servesOrganization(egress.organizations, organizationId) &&
    egress.allow.some((pattern) => matchesOrigin(pattern, url));
  if (!allowed) throw denied(`${url.origin} is not among the origins that an operator has allowed`);
  url.hash = "";
  return { kind: "public", rules: egress, url };
};

/**
 * Where a redirect of `from` leads. Within the base of an upstream it stays one; a server outside
 * never leads into an upstream. @throws HostFault egress.denied
 */
export const redirectDestination = (
  from: Destination,
  location: string,
  rules: Rules,
  organizationId: string,
): Destination => {
  if (!URL.canParse(location, from.url)) throw denied("a redirect to what is not a URL");
  const url = new URL(location, from.url);
  if (from.kind === "upstream" && isBelow(from.upstream.base, url) && !climbs(url.pathname)) {
    url.hash = "";
    return { ...from, url };
  }
  return publicDestination(url, rules, organizationId);
};

/** The URL as the script may see it: never the internal one of an upstream. */
export const shownUrl = (destination: Destination): string => {
  const { url } = destination;
  if (destination.kind === "public") return url.href;
  const { name, base } = destination.upstream;
  return `upstream://${name}/${url.pathname.slice(base.pathname.length)}${url.search}`;
};

/** For messages. */
export const placeOf = (destination: Destination): string =>
  destination.kind === "upstream"
    ? `upstream://${destination.upstream.name}`
    : destination.url.origin;

/** For measurements: there are as many as there are upstreams, and one more. */
export const destinationName = (destination: Destination): string =>
  destination.kind === "upstream" ? destination.upstream.name : "public";

export const isSameOrigin = (a: Destination, b: Destination): boolean =>
  a.kind === "upstream"
    ? b.kind === "upstream" && a.upstream === b.upstream
    : b.kind === "public" && a.url.origin === b.url.origin;

export const limitsOf = (
  to: Destination,
): { readonly wholeMs: number; readonly responseBytes: number } =>
  to.kind === "upstream" ? to.upstream : to.rules;

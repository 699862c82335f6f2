import { isIP } from "node:net";

import type { Pool } from "undici";

import type { Clock } from "../../src/runtime/clock.ts";
import type { FetchResponse } from "../fetch-wire.ts";
import { HostFault } from "../host-calls.ts";
import type { Redaction } from "../redaction.ts";
import type { Clients } from "./clients.ts";
import {
  type Destination,
  placeOf,
  limitsOf,
  redirectDestination,
  type Rules,
  shownUrl,
} from "./destination.ts";
import { exchange, type Incoming, locationOf } from "./exchange.ts";
import { type Hop, nextHop } from "./hops.ts";
import { EGRESS_LIMITS } from "./limits.ts";
import type { Network } from "../../src/outgoing/network.ts";
import { outgoingHeaders } from "./outgoing-headers.ts";
import { isPublicAddress } from "../../src/outgoing/public-address.ts";
import { denied, failed, timedOut } from "./refusal.ts";
import type { Wanted } from "./request.ts";
import type { Placeholders } from "./secrets.ts";

/** The attempt for which something is fetched. */
export type Requester = {
  readonly organizationId: string;
  readonly jobToken: string;
  /** W3C Trace Context for named upstreams; empty if there is none. */
  readonly traceparent: string;
  readonly placeholders: Placeholders;
  /** For what comes back from there. */
  readonly redactionOf: (from: Destination) => Redaction;
  /** Whether the URL holds a value that must not go there. */
  readonly leaks: (to: Destination) => boolean;
};

export type Broker = {
  /** One fetch, redirects and all. @throws HostFault; the signal's reason */
  fetch(
    wanted: Wanted,
    to: Destination,
    requester: Requester,
    signal: AbortSignal,
  ): Promise<FetchResponse>;
};

export type BrokerOptions = {
  readonly rules: Rules;
  readonly clients: Clients;
  readonly network: Network;
  readonly clock: Clock;
};

/**
 * Does what a script may do on the network, in its place. Each hop is checked anew: URL, headers
 * and secrets before anything is resolved, every address before anything is connected to.
 */
export const createBroker = ({ rules, clients, network, clock }: BrokerOptions): Broker => {
  const poolOf = async (to: Destination, signal: AbortSignal): Promise<Pool> =>
    to.kind === "upstream"
      ? clients.upstream(to.upstream)
      : clients.pinned(to.url.origin, await publicAddresses(to.url, network, signal));

  const send = async (hop: Hop, requester: Requester, signal: AbortSignal): Promise<Incoming> => {
    const { to, method } = hop;
    const { placeholders } = requester;
    const type = hop.headers.find(([name]) => name.toLowerCase() === "content-type")?.[1] ?? "";
    const outgoing = {
      url: placeholders.url(to),
      method,
      headers: outgoingHeaders(hop.headers, to, requester),
      body: hop.body === null ? null : placeholders.body(hop.body, type, to),
      responseBytes: limitsOf(to).responseBytes,
    };
    return await exchange(await poolOf(to, signal), outgoing, placeOf(to), signal);
  };

  const follow = async (
    wanted: Wanted,
    first: Destination,
    requester: Requester,
    signal: AbortSignal,
  ): Promise<FetchResponse> => {
    const { method, headers, body } = wanted;
    let hop: Hop = { to: first, method, headers, body };
    for (let redirects = 0; ; redirects += 1) {
      const response = await send(hop, requester, signal);
      const location = locationOf(response);
      if (location === undefined || wanted.redirect === "manual") {
        return answer(response, hop.to, redirects > 0, requester.redactionOf(hop.to));
      }
      if (wanted.redirect === "error") {
        throw failed(`${placeOf(hop.to)} redirects, which the request does not want`);
      }
      if (redirects === EGRESS_LIMITS.redirects) {
        throw failed(`more than ${EGRESS_LIMITS.redirects} redirects`);
      }
      const to = redirectDestination(hop.to, location, rules, requester.organizationId);
      if (requester.leaks(to)) throw denied("a redirect carries a secret to where it may not go");
      hop = nextHop(hop, response.status, to, requester.placeholders.isIn);
    }
  };

  return {
    fetch: async (wanted, to, requester, signal) => {
      const { wholeMs } = limitsOf(to);
      const late = new AbortController();
      const cancel = clock.after(wholeMs, () => {
        late.abort(timedOut(`the fetch from ${placeOf(to)} took longer than ${wholeMs} ms`));
      });
      try {
        return await follow(wanted, to, requester, AbortSignal.any([signal, late.signal]));
      } finally {
        cancel();
      }
    },
  };
};

/** All of them, or none: which one is private is not told. @throws HostFault; the signal's reason */
const publicAddresses = async (
  url: URL,
  network: Network,
  signal: AbortSignal,
): Promise<readonly string[]> => {
  const host = url.hostname.replace(/^\[|\]$/g, "");
  const addresses = isIP(host) === 0 ? await resolved(host, network, signal) : [host];
  if (addresses.every(isPublicAddress)) return addresses;
  throw denied(`${url.hostname} does not lead to public addresses only`);
};

const resolved = async (
  host: string,
  network: Network,
  signal: AbortSignal,
): Promise<readonly string[]> =>
  await new Promise((resolve, reject) => {
    const abort = (): void => {
      reject(signal.reason as Error);
    };
    signal.addEventListener("abort", abort, { once: true });
    network
      .resolve(host)
      .then(resolve, () => {
        reject(failed(`the name ${host} cannot be resolved`));
      })
      .finally(() => {
        signal.removeEventListener("abort", abort);
      });
    if (signal.aborted) abort();
  });

const answer = (
  { status, statusText, headers, body }: Incoming,
  from: Destination,
  redirected: boolean,
  redaction: Redaction,
): FetchResponse => ({
  status,
  statusText: redaction.text(statusText),
  url: redaction.text(shownUrl(from)),
  redirected,
  headers: headers.map(([name, value]) => [
    name,
    redaction.text(name.toLowerCase() === "location" ? shownLocation(value, from) : value),
  ]),
  body: redaction.bytes(body).toString("base64"),
});

/** What leads on within an upstream is told in the words that a script can fetch. */
const shownLocation = (location: string, from: Destination): string => {
  if (from.kind !== "upstream") return location;
  try {
    return shownUrl(redirectDestination(from, location, NOTHING_PUBLIC, ""));
  } catch (cause) {
    if (cause instanceof HostFault) return location;
    throw cause;
  }
};

const NOTHING_PUBLIC: Rules = { upstreams: new Map(), egress: undefined };

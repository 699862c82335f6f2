import type { IncomingMessage } from "node:http";
import { isIP } from "node:net";

import { isWithin, type Networks } from "../outgoing/networks.ts";

/** Where a request came from: an address, or empty if it is not known. */
export type AddressOf = (request: IncomingMessage) => string;

/** A listener on all addresses sees IPv4 callers as IPv6 ones. */
const plain = (address: string): string => address.replace(/^::ffff:(?=\d+\.)/i, "");

/** The other end of the connection. */
export const addressOfPeer: AddressOf = ({ socket }) => plain(socket.remoteAddress ?? "");

/** One step of a way: `192.0.2.1`, `192.0.2.1:4711`, `2001:db8::1`, `[2001:db8::1]:4711`; null if it is none. */
const addressIn = (step: string): string | null => {
  const [, bracketed, dotted] = /^(?:\[([^\]]+)\]|(\d+(?:\.\d+){3}))(?::\d+)?$/.exec(step) ?? [];
  const address = (bracketed ?? dotted ?? step).toLowerCase();
  return isIP(address) === 0 || address.includes("%") ? null : plain(address);
};

/**
 * Who stands behind proxies. Each adds to `X-Forwarded-For` who called it, so the header is read from
 * its end, and as long as the one who wrote is trusted: what is left of that anybody may have sent.
 */
export const addressBehind =
  (proxies: Networks): AddressOf =>
  (request) => {
    let address = addressOfPeer(request);
    const header = request.headers["x-forwarded-for"];
    const way = typeof header === "string" ? header.split(",") : [];
    while (isWithin(proxies, address)) {
      const before = addressIn((way.pop() ?? "").trim());
      if (before === null) break;
      address = before;
    }
    return address;
  };

/** Groups of 16 bits in an IPv6 address. */
const GROUPS = 8;
const GROUPS_OF_A_SUBSCRIBER = 4;

/** Of IPv6 a subscriber has 64 bits of addresses for himself: they are one caller. */
export const subscriberOf = (address: string): string => {
  if (isIP(address) !== 6) return address;
  const [head = [], tail = []] = address
    .split("::")
    .map((half) => half.split(":").filter((group) => group !== ""));
  const zeros = Array.from({ length: Math.max(0, GROUPS - head.length - tail.length) }, () => "0");
  return [...head, ...zeros, ...tail]
    .slice(0, GROUPS_OF_A_SUBSCRIBER)
    .map((group) => Number.parseInt(group, 16).toString(16))
    .join(":");
};

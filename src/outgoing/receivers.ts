import { isIP } from "node:net";

import { isWithin, type Networks, parseNetwork } from "./networks.ts";
import { isPublicAddress } from "./public-address.ts";

/** Receivers that are not public, and that an operator allows: by name, by address, by network. */
export type Receivers = {
  /** In lower case. */
  readonly hosts: ReadonlySet<string>;
  readonly networks: Networks;
};

export const PUBLIC_RECEIVERS: Receivers = { hosts: new Set(), networks: [] };

const HOST = /^[a-z0-9]([a-z0-9._-]{0,251}[a-z0-9])?$/;
const MOST_HOST_CHARACTERS = 253;

/** `10.0.0.0/8`, `192.168.1.4`, `fd00::/8`, `receiver.internal`. False if it is none of these. */
const addEntry = (entry: string, hosts: Set<string>, networks: Networks[number][]): boolean => {
  const name = entry.toLowerCase();
  const network = parseNetwork(name);
  if (network !== null) {
    networks.push(network);
    return true;
  }
  if (/^[\d.]+$/.test(name) || !HOST.test(name)) return false;
  hosts.add(name);
  return true;
};

/** Names, addresses and networks, with commas between them. Null if one is not understood. */
export const parseReceivers = (text: string): Receivers | null => {
  const hosts = new Set<string>();
  const networks: Networks[number][] = [];
  const entries = text.split(",").map((entry) => entry.trim());
  return entries.every((entry) => addEntry(entry, hosts, networks)) ? { hosts, networks } : null;
};

/** Whether a receiver may be at that address. */
export const mayDial = ({ networks }: Receivers, address: string): boolean =>
  isPublicAddress(address) || isWithin(networks, address);

/** The host of a URL, without the brackets of an IPv6 address. */
export const hostOf = ({ hostname }: URL): string => hostname.replace(/^\[|\]$/g, "");

/**
 * Why nothing is ever sent to that URL, as the end of a sentence about it; null if it may be. What a
 * name leads to shows when it is dialled.
 */
export const whyNoReceiver = (text: string, receivers: Receivers): string | null => {
  const url = URL.canParse(text) ? new URL(text) : null;
  if (url === null) return "must be an absolute URL.";
  if (url.protocol !== "http:" && url.protocol !== "https:") {
    return `must begin with http:// or https://; it begins with ${url.protocol.slice(0, 20)}.`;
  }
  if (url.username !== "" || url.password !== "") return "must not hold a user or a password.";
  const host = hostOf(url);
  if (host.length > MOST_HOST_CHARACTERS) {
    return `must have a host name of at most ${MOST_HOST_CHARACTERS} characters; it has ${host.length}.`;
  }
  if (isIP(host) !== 0 && !mayDial(receivers, host)) {
    return `must lead to a public address; ${host} is none, and no operator has allowed it.`;
  }
  return null;
};

import { isIP } from "node:net";

import ipaddr from "ipaddr.js";

/** Addresses and networks that an operator has named. */
export type Networks = readonly (readonly [address: ipaddr.IPv4 | ipaddr.IPv6, bits: number])[];

/** `10.0.0.0/8`, `192.168.1.4`, `fd00::/8`. Null if it is neither an address nor a network. */
export const parseNetwork = (text: string): Networks[number] | null => {
  if (isIP(text) !== 0) {
    const address = ipaddr.parse(text);
    return [address, address.kind() === "ipv4" ? 32 : 128];
  }
  const [network = ""] = text.split("/");
  return isIP(network) !== 0 && ipaddr.isValidCIDR(text) ? ipaddr.parseCIDR(text) : null;
};

/** With commas between them. Null if one is not understood. */
export const parseNetworks = (text: string): Networks | null => {
  const networks = text.split(",").map((entry) => parseNetwork(entry.trim()));
  return networks.every((network) => network !== null) ? networks : null;
};

/** Whether an address is in one of them. A mapped address (`::ffff:10.1.2.3`) is what it stands for. */
export const isWithin = (networks: Networks, address: string): boolean => {
  if (!ipaddr.isValid(address)) return false;
  const parsed = ipaddr.process(address);
  return networks.some(
    ([network, bits]) => network.kind() === parsed.kind() && parsed.match(network, bits),
  );
};

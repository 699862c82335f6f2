import ipaddr from "ipaddr.js";

const GLOBAL_UNICAST = ipaddr.parseCIDR("2000::/3");

/**
 * Whether `address` is one of the public internet: unicast, and neither private, local, shared
 * (100.64/10), reserved nor a way to write one of those within another (IPv4-mapped, 6to4, NAT64,
 * Teredo). Of IPv6 only 2000::/3 is given out; the rest includes IPv4-compatible `::127.0.0.1`.
 */
export const isPublicAddress = (address: string): boolean => {
  if (!ipaddr.isValid(address)) return false;
  const parsed = ipaddr.parse(address);
  if (parsed.range() !== "unicast") return false;
  return parsed.kind() === "ipv4" || parsed.match(GLOBAL_UNICAST);
};

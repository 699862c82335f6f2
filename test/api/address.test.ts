import type { IncomingMessage } from "node:http";

import { describe, expect, it } from "vitest";

import { addressBehind, addressOfPeer, subscriberOf } from "../../src/api/address.ts";
import { parseNetworks } from "../../src/outgoing/networks.ts";

const from = (remoteAddress: string | undefined, forwarded?: string): IncomingMessage =>
  ({
    socket: { remoteAddress },
    headers: forwarded === undefined ? {} : { "x-forwarded-for": forwarded },
  }) as unknown as IncomingMessage;

describe("the address of a caller", () => {
  const behind = addressBehind(parseNetworks("10.0.0.0/8, fd00::1, 192.0.2.7") ?? []);

  it.each([
    ["that is no proxy is that of the connection", "198.51.100.4", "203.0.113.9", "198.51.100.4"],
    ["behind a proxy is what the proxy wrote", "10.1.2.3", "203.0.113.9", "203.0.113.9"],
    ["is not what the caller wrote himself", "10.1.2.3", "1.1.1.1, 203.0.113.9", "203.0.113.9"],
    ["behind two proxies", "10.1.2.3", "1.1.1.1, 203.0.113.9, 192.0.2.7", "203.0.113.9"],
    ["on a listener of all addresses", "::ffff:10.1.2.3", "::ffff:203.0.113.9", "203.0.113.9"],
    ["of IPv6, with a port", "fd00::1", "[2001:DB8::5]:4711", "2001:db8::5"],
    ["with a port", "10.1.2.3", "203.0.113.9:4711", "203.0.113.9"],
    ["that the proxy does not tell is the proxy's", "10.1.2.3", undefined, "10.1.2.3"],
    ["that is none is the proxy's", "10.1.2.3", "203.0.113.9, unknown", "10.1.2.3"],
    ["with a zone is the proxy's", "10.1.2.3", "fe80::1%eth0", "10.1.2.3"],
    ["inside the network of the proxies", "10.1.2.3", "10.9.9.9", "10.9.9.9"],
    ["of a connection that is gone is not known", undefined, "203.0.113.9", ""],
  ])("%s", (_what, peer, header, address) => {
    expect(behind(from(peer, header))).toBe(address);
  });

  it("is that of the connection, where no proxy is trusted", () => {
    expect(addressBehind([])(from("10.1.2.3", "203.0.113.9"))).toBe("10.1.2.3");
    expect(addressOfPeer(from("::ffff:10.1.2.3", "203.0.113.9"))).toBe("10.1.2.3");
  });

  it.each([
    ["203.0.113.9", "203.0.113.9"],
    ["2001:db8:1:2::7", "2001:db8:1:2"],
    ["2001:0db8:0001:0002:a:b:c:d", "2001:db8:1:2"],
    ["2001:db8::7", "2001:db8:0:0"],
    ["::1", "0:0:0:0"],
    ["", ""],
  ])("%s is of the subscriber %s", (address, subscriber) => {
    expect(subscriberOf(address)).toBe(subscriber);
  });
});

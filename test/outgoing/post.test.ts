import { afterAll, beforeAll, describe, expect, it } from "vitest";

import type { Network } from "../../src/outgoing/network.ts";
import { createPoster, POST_MS } from "../../src/outgoing/post.ts";
import { mayDial, parseReceivers, PUBLIC_RECEIVERS } from "../../src/outgoing/receivers.ts";
import { createManualClock } from "../support/manual-clock.ts";
import { startReceiver, type TestReceiver } from "../support/receiver.ts";

let receiver: TestReceiver;
beforeAll(async () => {
  receiver = await startReceiver();
});
afterAll(async () => {
  await receiver.close();
});

const PUBLIC = "203.0.114.7";

/** Names lead to these addresses; every address that was checked is dialled on this machine. */
const leadsTo = (...addresses: readonly (readonly string[])[]): Network & { dialled: string[] } => {
  const answers = [...addresses];
  const dialled: string[] = [];
  return {
    dialled,
    resolve: async () => await Promise.resolve(answers.shift() ?? []),
    dial: (address) => {
      dialled.push(address);
      return "127.0.0.1";
    },
  };
};

const at = (host: string): string => `http://${host}:${new URL(receiver.url).port}/`;

const posting = (network: Network, allow = "") => {
  const clock = createManualClock();
  const receivers = allow === "" ? PUBLIC_RECEIVERS : parseReceivers(allow);
  if (receivers === null) throw new Error("not understood");
  const poster = createPoster({ receivers, network, clock, connections: 4 });
  const post = async (url: string) =>
    await poster.post({ url, headers: {}, body: "{}" }, new AbortController().signal);
  return { clock, post, stop: poster.stop };
};

describe("what is sent outside", () => {
  it("goes to the address that was checked, and to no other that the name has later", async () => {
    const network = leadsTo([PUBLIC], ["127.0.0.1"]);
    const { post, stop } = posting(network);
    expect(await post(at("example.org"))).toMatchObject({ status: 204 });
    expect(network.dialled).toEqual([PUBLIC]);
    const before = receiver.heard.length;
    expect(await post(at("example.org"))).toEqual({
      status: 0,
      retryAfter: "",
      error: "example.org does not lead to public addresses only.",
    });
    expect(receiver.heard.length).toBe(before);
    await stop();
  });

  it.each([
    "127.0.0.1",
    "0x7f.0.0.1",
    "2130706433",
    "017700000001",
    "[::1]",
    "[::ffff:127.0.0.1]",
    "[::ffff:7f00:1]",
    "[64:ff9b::7f00:1]",
    "[2002:7f00:1::]",
    "[::127.0.0.1]",
    "0.0.0.0",
    "10.1.2.3",
    "100.64.0.1",
    "169.254.169.254",
    "[fe80::1]",
    "[fd00::1]",
  ])("does not go to %s", async (host) => {
    const { post, stop } = posting(leadsTo());
    const before = receiver.heard.length;
    expect((await post(at(host))).error).toMatch(/does not lead to public addresses only\.$/);
    expect(receiver.heard.length).toBe(before);
    await stop();
  });

  it("goes nowhere if one of several addresses is private", async () => {
    const { post, stop } = posting(leadsTo([PUBLIC, "10.0.0.1"]));
    expect((await post(at("example.org"))).status).toBe(0);
    await stop();
  });

  it("goes to what an operator allows: by name, by address, by network", async () => {
    const byNetwork = posting(leadsTo(["10.1.2.3"]), "10.0.0.0/8, 127.0.0.1");
    expect((await byNetwork.post(at("inside.example"))).status).toBe(204);
    expect((await byNetwork.post(at("127.0.0.1"))).status).toBe(204);
    await byNetwork.stop();
    const byName = posting(leadsTo(), "LOCALHOST");
    expect((await byName.post(at("localhost"))).status).toBe(204);
    expect((await byName.post(at("127.0.0.1"))).status).toBe(0);
    await byName.stop();
  });

  it("is given up after 15 seconds, however far it has come", async () => {
    receiver.answer("/", () => "silence");
    const { clock, post, stop } = posting(leadsTo([PUBLIC]));
    const before = receiver.heard.length;
    const answer = post(at("slow.example"));
    await receiver.until("/", before + 1);
    clock.advance(POST_MS);
    expect((await answer).error).toMatch(/^slow\.example:\d+ did not answer within 15 s\.$/);
    await stop();
    receiver.answer("/", () => ({ status: 204 }));
  });
});

describe("a list of receivers", () => {
  it.each(["10.0.0.0/33", "10.0.0/8", "1.2.3", "a b", "http://example.org", "-x", "a,,b"])(
    "is not %s",
    (text) => {
      expect(parseReceivers(text)).toBeNull();
    },
  );

  it("allows an address of IPv4 also where it is written as one of IPv6", () => {
    const receivers = parseReceivers("192.168.0.0/16,fd00::/8");
    if (receivers === null) throw new Error("not understood");
    const wanted = ["192.168.3.4", "::ffff:192.168.3.4", "fd00::7", "172.16.0.1", "fe80::1"];
    expect(wanted.map((address) => mayDial(receivers, address))).toEqual([
      true,
      true,
      true,
      false,
      false,
    ]);
  });
});

import type { RequestListener } from "node:http";
import { type AddressInfo, createServer, type Server, type Socket } from "node:net";

import { afterAll, afterEach, beforeAll, beforeEach, expect, it } from "vitest";

import { EGRESS_LIMITS } from "../../../runner/egress/limits.ts";
import { AttemptStopped } from "../../../runner/executor.ts";
import { openEgress, type OpenEgress, type Site, startSite } from "../../support/egress-site.ts";

let site: Site;
let world: OpenEgress;
/** What `/` answers. */
let answer: RequestListener = () => {};

const core = (): string => `core: { url: "http://127.0.0.1:${site.port}/" }`;

beforeAll(async () => {
  site = await startSite((request, response) => {
    answer(request, response);
  });
});

afterAll(async () => {
  await site.close();
});

beforeEach(() => {
  world = openEgress(`upstreams: { ${core()} }`);
});

afterEach(async () => {
  await world.stop();
});

it("six fetches at once, the others wait for their turn; fifty in all", async () => {
  const held: (() => void)[] = [];
  const full = Promise.withResolvers<void>();
  let most = 0;
  let open = 0;
  let go = false;
  answer = (_request, response) => {
    open += 1;
    most = Math.max(most, open);
    const end = (): void => {
      open -= 1;
      response.end();
    };
    if (go) end();
    else held.push(end);
    if (held.length === EGRESS_LIMITS.atOnce) full.resolve();
  };
  const all = Array.from(
    { length: EGRESS_LIMITS.fetches },
    async () => await world.fetch("upstream://core/"),
  );
  await full.promise;
  go = true;
  for (const end of held) end();
  expect((await Promise.all(all)).every(({ status }) => status === 200)).toBe(true);
  expect(most).toBe(EGRESS_LIMITS.atOnce);
  expect(await world.refusal("upstream://core/")).toBe(
    "quota.fetches: more than 50 fetches in one attempt",
  );
});

it("who takes no answers is fetched no more than six", async () => {
  const before = site.requests.length;
  answer = (_request, response) => {
    response.end();
  };
  const deaf = openEgress(`upstreams: { ${core()} }`, {
    reads: false,
  });
  const attempt = new AbortController();
  const all = Array.from(
    { length: EGRESS_LIMITS.atOnce + 1 },
    async () => await deaf.fetch("upstream://core/", {}, attempt.signal),
  );
  await Promise.all(all.slice(0, EGRESS_LIMITS.atOnce));
  // Whatever comes after them comes after this one, too.
  await world.fetch("upstream://core/");
  expect(site.requests.length - before).toBe(EGRESS_LIMITS.atOnce + 1);
  await deaf.stop();
});

it("the end of the attempt ends what it fetches, and what waits", async () => {
  const arrived = Promise.withResolvers<void>();
  let requests = 0;
  answer = () => {
    requests += 1;
    if (requests === EGRESS_LIMITS.atOnce) arrived.resolve();
  };
  const attempt = new AbortController();
  const all = Array.from(
    { length: EGRESS_LIMITS.atOnce + 2 },
    async () => await world.fetch("upstream://core/", {}, attempt.signal),
  );
  await arrived.promise;
  attempt.abort(new AttemptStopped("forgotten"));
  for (const one of await Promise.allSettled(all)) {
    expect(one).toMatchObject({ status: "rejected", reason: attempt.signal.reason });
  }
  expect(requests).toBe(EGRESS_LIMITS.atOnce);
  expect(world.facts.map(({ outcome }) => outcome)).toEqual(all.map(() => "stopped"));
});

it("who talks no HTTP, hangs up or is not there is a failure that names no address", async () => {
  const odd: Server = createServer((socket) => {
    socket
      .on("error", () => {})
      .resume()
      .end("SSH-2.0-OpenSSH\r\n");
  });
  await new Promise<void>((resolve) => odd.listen(0, "127.0.0.1", resolve));
  const { port } = odd.address() as AddressInfo;
  const other = openEgress(`upstreams: { odd: { url: "http://127.0.0.1:${port}/" } }`);
  try {
    expect(await other.refusal("upstream://odd/")).toBe(
      "egress.failed: the exchange with upstream://odd failed: its answer is not HTTP/1.1",
    );
    await new Promise((resolve) => odd.close(resolve));
    expect(await other.refusal("upstream://odd/")).toBe(
      "egress.failed: the exchange with upstream://odd failed: ECONNREFUSED",
    );
  } finally {
    await other.stop();
  }
});

it("an upstream that does not answer keeps nobody from another", async () => {
  const sockets: Socket[] = [];
  const dead: Server = createServer((socket) => sockets.push(socket));
  await new Promise<void>((resolve) => dead.listen(0, "127.0.0.1", resolve));
  const { port } = dead.address() as AddressInfo;
  answer = (_request, response) => {
    response.end("alive");
  };
  const settings = `upstreams: { dead: { url: "http://127.0.0.1:${port}/" }, core: { url: "http://127.0.0.1:${site.port}/" } }`;
  const other = openEgress(settings);
  const attempt = new AbortController();
  const stuck = Array.from(
    { length: 5 },
    async () => await other.fetch("upstream://dead/", {}, attempt.signal),
  );
  expect((await other.fetch("upstream://core/")).text).toBe("alive");
  attempt.abort(new AttemptStopped("forgotten"));
  await Promise.allSettled(stuck);
  await other.stop();
  for (const socket of sockets) socket.destroy();
  await new Promise((resolve) => dead.close(resolve));
});

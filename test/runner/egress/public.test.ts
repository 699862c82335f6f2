import { afterAll, beforeAll, expect, it } from "vitest";

import { EGRESS_LIMITS } from "../../../runner/egress/limits.ts";
import { isPublicAddress } from "../../../src/outgoing/public-address.ts";
import type { FetchRequest } from "../../../runner/fetch-wire.ts";
import {
  echo,
  namesLeadTo,
  openEgress,
  type OpenEgress,
  PUBLIC,
  type Site,
  startSite,
} from "../../support/egress-site.ts";

let site: Site;
/** Nobody may ever arrive here. */
let hidden: Site;
const open: OpenEgress[] = [];

beforeAll(async () => {
  site = await startSite((request, response) => {
    const { searchParams } = new URL(request.url ?? "", "http://site");
    const to = searchParams.get("to");
    const status = Number(searchParams.get("status") ?? "302");
    if (to === null) echo(request, response);
    else response.writeHead(status, { location: to }).end("moved");
  });
  hidden = await startSite(echo);
});

afterAll(async () => {
  for (const { stop } of open) await stop();
  await site.close();
  await hidden.close();
});

const openWith = (network = namesLeadTo(PUBLIC), more = ""): OpenEgress => {
  const yaml = `
egress:
  allow:
    - http://api.example.com:${site.port}
    - http://*.example.org:${site.port}
    - http://api.example.com:${hidden.port}
    - http://bücher.example:${site.port}
    - http://metadata.example.net
    - http://localhost:${hidden.port}
${more}`;
  const world = openEgress(yaml, { network });
  open.push(world);
  return world;
};

const api = (path: string, port = site.port): string => `http://api.example.com:${port}${path}`;

it("an allowed origin is fetched, at exactly the address that was checked", async () => {
  const network = namesLeadTo(PUBLIC);
  const world = openWith(network);
  const { status, url, json } = await world.fetch(api("/a?b=c"), {
    headers: [["authorization", "Bearer own"]],
  });
  expect({ status, url }).toEqual({ status: 200, url: api("/a?b=c") });
  expect(json).toMatchObject({
    url: "/a?b=c",
    headers: { host: `api.example.com:${site.port}`, authorization: "Bearer own" },
  });
  expect(network.dialled).toEqual([PUBLIC]);
});

it("a wildcard stands for one label", async () => {
  const world = openWith();
  expect((await world.fetch(`http://a.example.org:${site.port}/`)).status).toBe(200);
  expect((await world.fetch(`http://BÜCHER.example:${site.port}/`)).status).toBe(200);
  for (const host of ["example.org", "a.b.example.org", "aexample.org", "a.example.org.evil.net"]) {
    expect(await world.refusal(`http://${host}:${site.port}/`), host).toMatch(
      /^egress\.denied: .* is not among the origins/,
    );
  }
});

it.each([
  "http://169.254.169.254/latest/meta-data/",
  "http://localhost:PORT/",
  "http://[::1]:PORT/",
  "http://127.1:PORT/",
  "http://0x7f000001:PORT/",
  "http://2130706433:PORT/",
  "http://[::ffff:10.0.0.1]:PORT/",
  "http://[::ffff:127.0.0.1]:PORT/",
  "http://0:PORT/",
  "http://017700000001:PORT/",
  "http://①②⑦.⓪.⓪.①:PORT/",
  "http://api.example.com.:PORT/",
  "http://api.example.com@127.0.0.1:PORT/",
  "http://127.0.0.1:PORT#@api.example.com/",
  "http://127.0.0.1:PORT\\@api.example.com/",
  "https://api.example.com:PORT/",
  "ftp://api.example.com:PORT/",
  "file:///etc/passwd",
  "data:text/plain,x",
  "blob:http://api.example.com/x",
  "//api.example.com:PORT/",
  "",
])("%s is refused, and no packet is sent", async (url) => {
  // Even if every name led to this machine.
  const world = openWith(namesLeadTo("127.0.0.1"));
  expect(await world.refusal(url.replace("PORT", String(hidden.port)))).toMatch(/^egress\.denied/);
  expect(hidden.connections()).toBe(0);
});

it.each([
  "127.0.0.1",
  "10.1.2.3",
  "172.16.0.1",
  "192.168.1.1",
  "169.254.169.254",
  "100.64.0.1",
  "0.0.0.0",
  "0.1.2.3",
  "192.0.0.8",
  "192.0.2.1",
  "192.88.99.1",
  "198.18.0.1",
  "198.51.100.7",
  "203.0.113.9",
  "224.0.0.1",
  "240.0.0.1",
  "255.255.255.255",
  "::",
  "::1",
  "::127.0.0.1",
  "::ffff:127.0.0.1",
  "::ffff:8.8.8.8",
  "64:ff9b::7f00:1",
  "64:ff9b:1::1",
  "2002:7f00:1::1",
  "2001:0:4136:e378:8000:63bf:3fff:fdd2",
  "2001:db8::1",
  "fc00::1",
  "fd12:3456::1",
  "fe80::1",
  "fe80::1%eth0",
  "fec0::1",
  "ff02::1",
  "100::1",
  "3fff::1",
  "4000::1",
])("a name that leads to %s is refused, and not told to what it leads", async (address) => {
  const network = namesLeadTo(() => [PUBLIC, address]);
  const world = openWith(network);
  const refusal = await world.refusal(api("/", hidden.port));
  expect(refusal).toBe("egress.denied: api.example.com does not lead to public addresses only");
  expect(network.dialled).toEqual([]);
  expect(hidden.connections()).toBe(0);
});

it("addresses of the public internet are public", () => {
  const addresses = [PUBLIC, "8.8.8.8", "1.1.1.1", "2606:4700:4700::1111", "2a00:1450:4001::200e"];
  expect(addresses.filter((address) => !isPublicAddress(address))).toEqual([]);
  expect(isPublicAddress("api.example.com")).toBe(false);
});

it("a name that cannot be resolved is a failure of the fetch", async () => {
  const network = namesLeadTo(() => {
    throw new Error("ENOTFOUND");
  });
  expect(await openWith(network).refusal(api("/"))).toBe(
    "egress.failed: the name api.example.com cannot be resolved",
  );
});

it("a name that changes its address between two fetches is looked at again, also on an open connection", async () => {
  let address = PUBLIC;
  const network = namesLeadTo(() => [address]);
  const world = openWith(network);
  expect((await world.fetch(api("/"))).status).toBe(200);
  const connections = site.connections();
  address = "127.0.0.1";
  expect(await world.refusal(api("/"))).toMatch(/^egress\.denied/);
  expect(site.connections()).toBe(connections);
  expect(network.dialled).toEqual([PUBLIC]);
});

it("a name is resolved once for each request: the connection is made to what was checked", async () => {
  const answers = [[PUBLIC], ["127.0.0.1"]];
  const network = namesLeadTo(() => answers.shift() ?? ["127.0.0.1"]);
  const world = openWith(network);
  expect((await world.fetch(api("/"))).status).toBe(200);
  expect(network.asked).toEqual(["api.example.com"]);
  expect(network.dialled).toEqual([PUBLIC]);
});

it.each([
  ["http://127.0.0.1:PORT/", "is not among the origins"],
  ["http://169.254.169.254/", "is not among the origins"],
  ["http://metadata.example.net/", "does not lead to public addresses only"],
  ["upstream://core/", "upstream: is not fetched"],
  ["file:///etc/passwd", "file: is not fetched"],
  ["http://user:pw@api.example.com/", "a user or a password"],
  ["//localhost:PORT/", "does not lead to public addresses only"],
])("a redirect to %s is refused", async (to, why) => {
  const network = namesLeadTo((host) =>
    host === "api.example.com" ? [PUBLIC] : ["169.254.169.254"],
  );
  const world = openWith(
    network,
    `upstreams: { core: { url: "http://127.0.0.1:${hidden.port}/", token: job } }`,
  );
  const target = encodeURIComponent(to.replace("PORT", String(hidden.port)));
  expect(await world.refusal(api(`/?to=${target}`))).toContain(why);
  expect(hidden.connections()).toBe(0);
});

it("redirects are followed five times", async () => {
  const world = openWith();
  const chain = (length: number): string => {
    let to = "/end";
    for (let left = 0; left < length; left += 1) to = `/?to=${encodeURIComponent(to)}`;
    return api(to);
  };
  const end = await world.fetch(chain(EGRESS_LIMITS.redirects));
  expect(end).toMatchObject({ status: 200, redirected: true, url: api("/end") });
  expect(await world.refusal(chain(EGRESS_LIMITS.redirects + 1))).toBe(
    "egress.failed: more than 5 redirects",
  );
});

it.each([
  [301, "POST", "GET ", undefined],
  [302, "POST", "GET ", undefined],
  [303, "PUT", "GET ", undefined],
  [303, "HEAD", "HEAD ", undefined],
  [307, "POST", "POST body", "text/plain"],
  [308, "PUT", "PUT body", "text/plain"],
  [302, "PUT", "PUT body", "text/plain"],
])("after %d a %s goes on as %s", async (status, method, then, type) => {
  const world = openWith();
  const body = method === "HEAD" ? null : Buffer.from("body").toString("base64");
  const request: Partial<FetchRequest> = {
    method,
    body,
    headers: [["content-type", "text/plain"]],
  };
  const { json } = await world.fetch(api(`/?status=${status}&to=/next`), request);
  const last = site.heard.at(-1);
  expect(last?.url).toBe("/next");
  if (method === "HEAD") return;
  expect(json).toMatchObject({ method: then.split(" ")[0], body: then.split(" ")[1] });
  expect(last?.headers["content-type"]).toBe(type);
});

it("authorization and cookies stay with the origin that they were for", async () => {
  const world = openWith();
  const headers = [
    ["Authorization", "Bearer own"],
    ["Cookie", "a=b"],
    ["X-Other", "kept"],
  ] as const;
  await world.fetch(api("/?to=/same"), { headers });
  expect(site.heard.at(-1)?.headers).toMatchObject({ authorization: "Bearer own", cookie: "a=b" });
  const other = encodeURIComponent(`http://b.example.org:${site.port}/other`);
  await world.fetch(api(`/?to=${other}`), { headers });
  const { headers: sent = {} } = site.heard.at(-1) ?? {};
  expect(sent).toMatchObject({ host: `b.example.org:${site.port}`, "x-other": "kept" });
  expect(sent.authorization).toBeUndefined();
  expect(sent.cookie).toBeUndefined();
});

it("an organization that is not named reaches no origin", async () => {
  const world = openEgress(
    `egress: { allow: ["http://api.example.com:${site.port}"], organizations: [0198c5a0-0000-7000-8000-00000000000b] }`,
  );
  open.push(world);
  expect(await world.refusal(api("/"))).toMatch(/^egress\.denied: .* is not among the origins/);
});

it("what was fetched is counted by where it went and how it ended", async () => {
  const world = openWith();
  await world.fetch(api("/"));
  await world.refusal("http://evil.example/");
  expect(world.facts.map(({ to, outcome }) => ({ to, outcome }))).toEqual([
    { to: "public", outcome: "ok" },
    { to: "", outcome: "egress.denied" },
  ]);
});

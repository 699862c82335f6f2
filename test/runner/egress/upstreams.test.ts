import { afterAll, beforeAll, beforeEach, expect, it } from "vitest";

import {
  assignment,
  echo,
  openEgress,
  type OpenEgress,
  type Site,
  startSite,
} from "../../support/egress-site.ts";

let core: Site;
let world: OpenEgress;
const open: OpenEgress[] = [];

const openAs = (yaml: string, over = {}): OpenEgress => {
  const next = openEgress(yaml, { assignment: assignment(over) });
  open.push(next);
  return next;
};

const GLOBEX = "0198c5a0-0000-7000-8000-00000000000b";

const yamlOf = (more = ""): string => `
upstreams:
  core:
    url: http://127.0.0.1:${core.port}/api
    token: job
    headers: { x-layer: jobs, x-key: "key \${secrets.core_key}" }
    ${more}
  plain:
    url: http://127.0.0.1:${core.port}/plain/
  others:
    url: http://127.0.0.1:${core.port}/others/
    organizations: [${GLOBEX}]
secrets:
  core_key: { value: core-key-value, upstreams: [core] }
`;

beforeAll(async () => {
  core = await startSite((request, response) => {
    const to = new URL(request.url ?? "", "http://core").searchParams.get("to");
    if (to === null) echo(request, response);
    else response.writeHead(302, { location: to }).end("moved");
  });
});

// Fetches are counted by attempt.
beforeEach(() => {
  world = openAs(yamlOf());
});

afterAll(async () => {
  for (const { stop } of open) await stop();
  await core.close();
});

const arrived = (): string => core.requests.at(-1) ?? "nothing";

it("a request to an upstream goes below its base, with the job's token and the operator's headers", async () => {
  const { status, url, json } = await world.fetch("upstream://core/users?x=1#part", {
    headers: [["X-Mine", "1"]],
  });
  expect({ status, url }).toEqual({ status: 200, url: "upstream://core/users?x=1" });
  expect(json).toMatchObject({ method: "GET", url: "/api/users?x=1" });
  const { headers } = core.heard.at(-1) ?? {};
  expect(headers).toMatchObject({
    host: `127.0.0.1:${core.port}`,
    authorization: "Bearer mr_job-token-of-ada",
    "x-layer": "jobs",
    "x-key": "key core-key-value",
    "x-mine": "1",
  });
});

it("what an upstream echoes of the token and of secrets does not reach the script", async () => {
  const { text } = await world.fetch("upstream://core/users");
  expect(text).not.toContain("mr_job-token-of-ada");
  expect(text).not.toContain("core-key-value");
  expect(text).toContain("Bearer [redacted]");
});

it("the job's token goes to no upstream that is not to get it", async () => {
  await world.fetch("upstream://plain/users", { headers: [["authorization", "Bearer own"]] });
  expect(core.heard.at(-1)?.headers.authorization).toBe("Bearer own");
  await world.fetch("upstream://plain/users");
  expect(core.heard.at(-1)?.headers.authorization).toBeUndefined();
});

it("method, body and content type arrive as they were given", async () => {
  const { json } = await world.fetch("upstream://core/users", {
    method: "POST",
    headers: [["content-type", "application/json"]],
    body: Buffer.from('{"a":"ä"}').toString("base64"),
  });
  expect(json).toMatchObject({ method: "POST", body: '{"a":"ä"}' });
});

it("no spelling of a path leads out of the base", async () => {
  const inside = ["..", "%2e%2e/", "a/../../..", "a/%2E%2e/%2e%2e/x", "./.."];
  for (const path of inside) {
    await world.fetch(`upstream://core/${path}`);
    expect(arrived(), path).toMatch(/^GET \/api\//);
  }
  const before = core.requests.length;
  const outside = [
    "..%2f..%2fadmin",
    "a\\..\\..\\admin",
    "a%5c..%5c..%5cadmin",
    "%252e%252e/admin",
    "..;/admin",
    "a/..%3b/admin",
    "x%00y",
    "x%0d%0ay",
  ];
  for (const path of outside) {
    expect(await world.refusal(`upstream://core/${path}`), path).toBe(
      "egress.denied: the path leads out of the upstream core",
    );
  }
  expect(core.requests.length).toBe(before);
  await world.fetch("upstream://core/a%2Fb");
  expect(arrived()).toBe("GET /api/a%2Fb");
});

it("an upstream that is unknown and one of another organization are the same", async () => {
  const unknown = await world.refusal("upstream://nobody/");
  expect(unknown).toBe('egress.denied: there is no upstream "nobody" for this organization');
  const theirs = await world.refusal("upstream://others/");
  expect(theirs).toBe(unknown.replace("nobody", "others"));
  const ref = { organizationId: GLOBEX, jobId: "job", attempt: 1, leaseToken: "lease" };
  const globex = openAs(yamlOf(), { ref });
  expect((await globex.fetch("upstream://others/x")).status).toBe(200);
});

it("user, password and port are no part of an upstream's URL", async () => {
  for (const url of ["upstream://a:b@core/", "upstream://core:81/", "upstream://core@evil/"]) {
    expect(await world.refusal(url)).toMatch(/^egress\.denied/);
  }
});

it.each([
  ["Authorization", "Bearer other"],
  ["X-Key", "other"],
  ["Host", "other"],
  ["Connection", "close"],
  ["Transfer-Encoding", "chunked"],
  ["Content-Length", "5"],
  ["Proxy-Authorization", "x"],
  ["Upgrade", "websocket"],
  ["Expect", "100-continue"],
  ["Cookie", "session=admin"],
  ["X-Forwarded-For", "127.0.0.1"],
  ["Forwarded", "for=127.0.0.1"],
  ["bad name", "x"],
  ["", "x"],
  ["x-split", "a\r\nx-user: admin"],
  ["x-split", "a\nb"],
  ["x-zero", "a\0b"],
  ["x-wide", "ā"],
])("a script cannot send %j: %j to an upstream", async (name, value) => {
  const before = core.requests.length;
  expect(await world.refusal("upstream://core/", { headers: [[name, value]] })).toMatch(
    /^egress\.denied: .*(header|not a header)/,
  );
  expect(core.requests.length).toBe(before);
});

it("methods that a proxy would understand otherwise are refused", async () => {
  for (const method of ["CONNECT", "TRACE", "track", "GET /x HTTP/1.1\r\nx:", ""]) {
    expect(await world.refusal("upstream://core/", { method })).toMatch(/^egress\.denied/);
  }
  const body = Buffer.from("x").toString("base64");
  expect(await world.refusal("upstream://core/", { body })).toBe(
    "egress.denied: a GET request has no body",
  );
});

it("a redirect within the base keeps the token, and one out of it is refused", async () => {
  const inner = await world.fetch("upstream://core/old?to=/api/new");
  expect(inner).toMatchObject({ status: 200, redirected: true, url: "upstream://core/new" });
  expect(core.heard.at(-1)?.headers.authorization).toBe("Bearer mr_job-token-of-ada");

  const before = core.requests.length;
  for (const to of ["/plain/x", `http://127.0.0.1:${core.port}/admin`, "http://169.254.169.254/"]) {
    const url = `upstream://core/old?to=${encodeURIComponent(to)}`;
    expect(await world.refusal(url), to).toMatch(/^egress\.denied: .* is not among the origins/);
  }
  expect(core.requests.length).toBe(before + 3);
});

it("a redirect can be taken by hand, or refused", async () => {
  const manual = await world.fetch("upstream://core/old?to=new", { redirect: "manual" });
  expect(manual.status).toBe(302);
  expect(manual.headers).toContainEqual(["location", "upstream://core/new"]);
  expect(await world.refusal("upstream://core/old?to=new", { redirect: "error" })).toBe(
    "egress.failed: upstream://core redirects, which the request does not want",
  );
});

it("without configuration nothing is fetched, and the script is told what an operator has to do", async () => {
  const off = openAs("");
  expect(await off.refusal("upstream://core/")).toMatch(
    /^egress\.denied: this runner has no network for scripts: .*MILLRACE_RUNNER_CONFIG/,
  );
  expect(off.secrets).toEqual({});
});

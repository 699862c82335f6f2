import type { RequestListener } from "node:http";

import { afterAll, beforeAll, expect, it } from "vitest";

import { createEgress, type Egress } from "../../../runner/egress/egress.ts";
import { AttemptStopped } from "../../../runner/executor.ts";
import { parseSettings } from "../../../runner/settings.ts";
import { systemClock } from "../../../src/runtime/clock.ts";
import { silentLog } from "../../../src/runtime/log.ts";
import { systemRandom } from "../../../src/runtime/random.ts";
import { assignment, echo, type Site, startSite } from "../../support/egress-site.ts";
import {
  type Ran,
  resultOf,
  type RunOptions,
  type Sandbox,
  startSandbox,
} from "../../support/runner-sandbox.ts";

const SECRET = "secret-of-the-operator";
const MIB = 1024 * 1024;

let sandbox: Sandbox;
let site: Site;
let egress: Egress | null;
let answer: RequestListener = echo;

beforeAll(async () => {
  site = await startSite((request, response) => {
    answer(request, response);
  });
  egress = createEgress({
    settings: parseSettings(
      `
upstreams:
  core: { url: "http://127.0.0.1:${site.port}/", token: job }
  quick: { url: "http://127.0.0.1:${site.port}/", timeout_seconds: 0.1 }
  small: { url: "http://127.0.0.1:${site.port}/", max_response_bytes: 100 }
  gone: { url: "http://127.0.0.1:1/" }
secrets: { key: { value: ${SECRET}, upstreams: [core] } }`,
      "runner.yaml",
    ),
    clock: systemClock,
    random: systemRandom,
    log: silentLog,
    observer: { fetchEnded: () => {} },
  });
  sandbox = await startSandbox({ limits: { cpuMs: 5_000 } });
});

afterAll(async () => {
  await sandbox.stop();
  await egress?.stop();
  await site.close();
});

const run = async (body: string, options: RunOptions = {}): Promise<Ran> =>
  await sandbox.run(`export default async function (input, ctx) { ${body} }`, {
    ...egress?.open(assignment()),
    ...options,
  });

it("fetches with headers and a body, and gets status, headers and JSON", async () => {
  answer = echo;
  const ran = await run(`
    const response = await fetch("upstream://core/things?a=b", {
      method: "POST", headers: { "X-Mine": "1" }, body: JSON.stringify({ n: 1 }),
    });
    const { method, url, headers, body } = await response.json();
    return { ok: response.ok, type: response.headers.get("content-type"), mine: headers["x-mine"],
      method, url, body, token: headers.authorization, of: response.url };`);
  expect(resultOf(ran)).toEqual({
    ok: true,
    type: "application/json",
    mine: "1",
    method: "POST",
    url: "/things?a=b",
    body: '{"n":1}',
    token: "Bearer [redacted]",
    of: "upstream://core/things?a=b",
  });
  expect(site.heard.at(-1)?.headers.authorization).toBe("Bearer mr_job-token-of-ada");
});

it("uses a secret without ever having it", async () => {
  const ran = await run(`
    console.log(ctx.secrets.key);
    const response = await fetch("upstream://core/", { headers: { "x-key": ctx.secrets.key } });
    return (await response.json()).headers["x-key"];`);
  expect(resultOf(ran)).toBe("[redacted]");
  expect(site.heard.at(-1)?.headers["x-key"]).toBe(SECRET);
  expect(ran.output.join()).toMatch(/^STDOUT mrs_[\w-]+$/);
});

it("can catch whatever fetch throws", async () => {
  answer = (request, response) => {
    if (request.url === "/large") response.end("x".repeat(101));
  };
  const ran = await run(`
    const told = [];
    for (const url of ["http://169.254.169.254/", "upstream://small/large", "upstream://quick/slow",
      "upstream://gone/"]) {
      await fetch(url).catch((error) => told.push(error.name + ": " + error.message));
    }
    for (let made = 4; made <= 50; made += 1) {
      await fetch("http://127.0.0.1/").catch((error) => { if (made === 50) told.push(error.message); });
    }
    return told;`);
  expect(resultOf(ran)).toEqual([
    "TypeError: http://169.254.169.254 is not among the origins that an operator has allowed",
    "TypeError: the response has more than 100 bytes",
    "TimeoutError: the fetch from upstream://quick took longer than 100 ms",
    "TypeError: the exchange with upstream://gone failed: ECONNREFUSED",
    expect.stringContaining("more than 50 fetches"),
  ]);
});

it("fails with the code of what it does not catch", async () => {
  const { ending } = await run(`return await fetch("http://[::ffff:10.0.0.1]/")`);
  expect(ending).toMatchObject({
    kind: "failed",
    error: { code: "egress.denied", retryable: false },
  });
  const late = await run(`return await fetch("upstream://quick/slow")`);
  expect(late.ending).toMatchObject({ error: { code: "egress.timeout", retryable: true } });
});

it("can hold the largest response that is allowed", async () => {
  answer = (_request, response) => {
    response.end(Buffer.alloc(4 * MIB, "x"));
  };
  const ran = await run(`
    const bytes = [];
    for (let i = 0; i < 3; i += 1) {
      bytes.push((await (await fetch("upstream://core/")).arrayBuffer()).byteLength);
    }
    return bytes;`);
  expect(resultOf(ran)).toEqual([4 * MIB, 4 * MIB, 4 * MIB]);
});

it("is cancelled while it waits for an answer, and the connection is given up", async () => {
  const arrived = Promise.withResolvers<void>();
  const closed = Promise.withResolvers<void>();
  answer = (request) => {
    request.on("error", () => {}).on("close", closed.resolve);
    arrived.resolve();
  };
  const cancelling = new AbortController();
  const running = run(`await fetch("upstream://core/")`, { signal: cancelling.signal });
  await arrived.promise;
  cancelling.abort(new AttemptStopped("cancelled"));
  expect((await running).ending.kind).toBe("cancelled");
  await closed.promise;
});

import type { RequestListener } from "node:http";
import { brotliCompressSync, constants, deflateRawSync, deflateSync, gzipSync } from "node:zlib";

import { afterAll, afterEach, beforeAll, beforeEach, expect, it } from "vitest";

import { EGRESS_LIMITS } from "../../../runner/egress/limits.ts";
import { openEgress, type OpenEgress, type Site, startSite } from "../../support/egress-site.ts";

const MIB = 1024 * 1024;
const brotli = (bytes: Buffer): Buffer =>
  brotliCompressSync(bytes, { params: { [constants.BROTLI_PARAM_QUALITY]: 1 } });
const ZEROS = Buffer.alloc(16 * MIB);

let site: Site;
let world: OpenEgress;
/** What `/` answers. */
let answer: RequestListener = () => {};

beforeAll(async () => {
  site = await startSite((request, response) => {
    answer(request, response);
  });
});

afterAll(async () => {
  await site.close();
});

beforeEach(() => {
  world = openEgress(`
upstreams:
  core: { url: "http://127.0.0.1:${site.port}/" }
  small: { url: "http://127.0.0.1:${site.port}/", max_response_bytes: 1000 }
  quick: { url: "http://127.0.0.1:${site.port}/", timeout_seconds: 0.2 }
`);
});

afterEach(async () => {
  await world.stop();
});

/** Sends without end, as fast as it is read, until the other side goes. */
const endless =
  (head: (response: Parameters<RequestListener>[1]) => void, chunk: Buffer): RequestListener =>
  (_request, response) => {
    head(response);
    const more = (): void => {
      while (!response.destroyed && response.write(chunk)) continue;
    };
    response.on("drain", more);
    more();
  };

const closedByClient = async (): Promise<void> => {
  const request = site.heard.at(-1);
  if (request === undefined || request.destroyed) return;
  await new Promise((resolve) => request.on("error", () => {}).on("close", resolve));
};

it.each([
  ["gzip", gzipSync],
  ["deflate", deflateSync],
  ["deflate", deflateRawSync],
  ["br", brotli],
  ["x-gzip", gzipSync],
])("a response packed as %s is unpacked, and a bomb is stopped", async (coding, pack) => {
  answer = (_request, response) => {
    response.setHeader("content-encoding", coding).end(pack(Buffer.from("unpacked")));
  };
  expect((await world.fetch("upstream://core/")).text).toBe("unpacked");
  const bomb = pack(ZEROS);
  expect(bomb.length).toBeLessThan(MIB);
  answer = (_request, response) => {
    response.setHeader("content-encoding", coding).end(bomb);
  };
  expect(await world.refusal("upstream://core/")).toBe(
    `egress.too_large: the response has more than ${4 * MIB} bytes`,
  );
});

it("the largest response arrives whole, and one byte more does not", async () => {
  answer = (_request, response) => {
    response.end(Buffer.alloc(1_000));
  };
  expect((await world.fetch("upstream://small/")).text.length).toBe(1_000);
  answer = (_request, response) => {
    response.end(Buffer.alloc(1_001));
  };
  expect(await world.refusal("upstream://small/")).toBe(
    "egress.too_large: the response has more than 1000 bytes",
  );
});

it("an endless body is cut off, packed or not", async () => {
  answer = endless(() => {}, Buffer.alloc(64 * 1024));
  expect(await world.refusal("upstream://core/")).toMatch(/^egress\.too_large/);
  await closedByClient();
  // Empty members of gzip unpack to nothing, for ever.
  answer = endless(
    (response) => response.setHeader("content-encoding", "gzip"),
    Buffer.concat(Array.from({ length: 1_000 }, () => gzipSync(""))),
  );
  expect(await world.refusal("upstream://core/")).toMatch(/^egress\.too_large/);
  await closedByClient();
});

it("a slow body and an answer that never comes are cut off", async () => {
  answer = (_request, response) => {
    response.write("x");
  };
  const late = "egress.timeout: the fetch from upstream://quick took longer than 200 ms";
  expect(await world.refusal("upstream://quick/")).toBe(late);
  await closedByClient();
  answer = () => {};
  expect(await world.refusal("upstream://quick/")).toBe(late);
  await closedByClient();
});

it("headers without end are cut off", async () => {
  answer = (_request, response) => {
    response.writeHead(200, { "x-large": "x".repeat(EGRESS_LIMITS.headerBytes) }).end();
  };
  expect(await world.refusal("upstream://core/")).toBe(
    `egress.too_large: the headers of the response have more than ${EGRESS_LIMITS.headerBytes} bytes`,
  );
});

it("what is no body of that kind, or cut off, is a failure", async () => {
  answer = (_request, response) => {
    response.setHeader("content-encoding", "gzip").end("no gzip");
  };
  expect(await world.refusal("upstream://core/")).toBe(
    "egress.failed: the exchange with upstream://core failed: Z_DATA_ERROR",
  );
  for (const coding of ["gzip, gzip", "zstd", "x".repeat(500)]) {
    answer = (_request, response) => {
      response.setHeader("content-encoding", coding).end("x");
    };
    expect(await world.refusal("upstream://core/")).toMatch(
      /^egress\.failed: the response is encoded as/,
    );
  }
  answer = (_request, response) => {
    response.setHeader("content-length", "100").write("x", () => response.destroy());
  };
  expect(await world.refusal("upstream://core/")).toMatch(/^egress\.failed/);
});

it("answers without a body have none, whatever they say of its encoding", async () => {
  answer = (request, response) => {
    const status = Number(request.url?.slice(1));
    response.writeHead(status, { "content-encoding": "gzip" }).end();
  };
  for (const status of [200, 204, 304, 500]) {
    expect(await world.fetch(`upstream://core/${status}`)).toMatchObject({ status, body: "" });
  }
  expect(await world.fetch("upstream://core/200", { method: "HEAD" })).toMatchObject({ body: "" });
});

it("requests have limits, too, and are refused before anything is sent", async () => {
  const before = site.requests.length;
  const post = { method: "POST", headers: [] };
  const large = Buffer.alloc(EGRESS_LIMITS.requestBytes + 1).toString("base64");
  expect(await world.refusal("upstream://core/", { ...post, body: large })).toBe(
    `egress.too_large: the request's body has ${MIB + 1} bytes; at most ${MIB} are allowed`,
  );
  expect(await world.refusal(`upstream://core/${"x".repeat(EGRESS_LIMITS.urlChars)}`)).toMatch(
    /^egress\.too_large: the URL has/,
  );
  const headers = Array.from({ length: 100 }, (_, i) => [`x-${i}`, "x".repeat(700)] as const);
  expect(await world.refusal("upstream://core/", { headers })).toMatch(
    /^egress\.too_large: the headers have/,
  );
  const many = Array.from({ length: 101 }, (_, i) => [`x-${i}`, ""] as const);
  expect(await world.refusal("upstream://core/", { headers: many })).toMatch(
    /^egress\.too_large: 101 headers/,
  );
  expect(site.requests.length).toBe(before);
});

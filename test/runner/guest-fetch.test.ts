import { afterAll, beforeAll, describe, expect, it } from "vitest";

import type { FetchRequest, FetchResponse } from "../../runner/fetch-wire.ts";
import { type HostCall, HostFault } from "../../runner/host-calls.ts";
import {
  codeOf,
  type Ran,
  resultOf,
  type Sandbox,
  startSandbox,
} from "../support/runner-sandbox.ts";

const OK: FetchResponse = {
  status: 200,
  statusText: "OK",
  url: "http://a.example/after",
  redirected: true,
  headers: [
    ["content-type", "application/json"],
    ["set-cookie", "a=1"],
    ["set-cookie", "b=2"],
  ],
  body: Buffer.from('{"ü":1}').toString("base64"),
};

/** The script's side of fetch: what it sends to the broker, and what it makes of the answer. */
describe("fetch in a script", () => {
  let sandbox: Sandbox;

  beforeAll(async () => {
    sandbox = await startSandbox({ limits: { cpuMs: 5_000 } });
  });

  afterAll(async () => {
    await sandbox.stop();
  });

  const run = async (body: string, fetch: HostCall, signal?: AbortSignal): Promise<Ran> =>
    await sandbox.run(`export default async (input, ctx) => { ${body} }`, {
      calls: new Map([["fetch", fetch]]),
      ...(signal === undefined ? {} : { signal }),
    });

  const sentBy = async (body: string): Promise<FetchRequest[]> => {
    const sent: FetchRequest[] = [];
    const ran = await run(body, async (payload) => {
      sent.push(payload as FetchRequest);
      return await Promise.resolve(OK);
    });
    resultOf(ran);
    return sent;
  };

  it("sends the method, the headers and every kind of body", async () => {
    const sent = await sentBy(`
      await fetch("upstream://core/x?y=ä");
      await fetch(new URL("http://a.example"), { method: "post", body: "€", headers: { "X-A": " 1 " } });
      await fetch("http://a.example", { method: "PUT", body: new URLSearchParams({ a: "b c" }), redirect: "error" });
      await fetch(new Request("http://a.example", { method: "patch", body: new Uint8Array([0, 255]).subarray(1) }));
      await fetch("http://a.example", { method: "DELETE", body: new ArrayBuffer(2), headers: new Headers([["b", "1"], ["b", "2"]]), redirect: "manual" });
    `);
    const request = (changed: Partial<FetchRequest>): FetchRequest => ({
      url: "http://a.example/",
      method: "GET",
      headers: [],
      body: null,
      redirect: "follow",
      ...changed,
    });
    expect(sent).toEqual([
      request({ url: "upstream://core/x?y=%C3%A4" }),
      request({
        method: "POST",
        body: Buffer.from("€").toString("base64"),
        headers: [
          ["content-type", "text/plain;charset=UTF-8"],
          ["x-a", "1"],
        ],
      }),
      request({
        method: "PUT",
        body: Buffer.from("a=b+c").toString("base64"),
        headers: [["content-type", "application/x-www-form-urlencoded;charset=UTF-8"]],
        redirect: "error",
      }),
      request({ method: "patch", body: "/w==" }),
      request({ method: "DELETE", body: "AAA=", headers: [["b", "1, 2"]], redirect: "manual" }),
    ]);
  });

  it("answers with a Response", async () => {
    const ran = await run(
      `const r = await fetch("http://a.example");
       const again = r.clone();
       return [r instanceof Response, r.status, r.ok, r.statusText, r.url, r.redirected, r.type,
         r.headers.get("Content-Type"), r.headers.getSetCookie(), [...r.headers].length,
         await r.json(), r.bodyUsed, again.bodyUsed, await again.text(), again.url];`,
      async () => await Promise.resolve(OK),
    );
    expect(resultOf(ran)).toEqual([
      true,
      200,
      true,
      "OK",
      "http://a.example/after",
      true,
      "basic",
      "application/json",
      ["a=1", "b=2"],
      3,
      { ü: 1 },
      true,
      false,
      '{"ü":1}',
      "http://a.example/after",
    ]);
  });

  it("throws the broker's refusal with its code and the author's place", async () => {
    const deny: HostCall = async () =>
      await Promise.reject(new HostFault("egress.denied", "not there", "TypeError"));
    const caught = await run(
      `try { await fetch("http://a.example") } catch (e) { return [e instanceof TypeError, e.name, e.message, e.code] }`,
      deny,
    );
    expect(resultOf(caught)).toEqual([true, "TypeError", "not there", "egress.denied"]);
    const { ending } = await run(`\nawait fetch("http://a.example")`, deny);
    expect(ending).toMatchObject({
      error: {
        code: "egress.denied",
        message: "TypeError: not there",
        stack: "TypeError: not there\n    at default (script.ts:2:7)",
      },
    });
  });

  it.each([
    ["a relative URL", `fetch("/x")`, /Failed to parse URL from \/x/],
    ["credentials in a URL", `fetch("http://u:p@a.example")`, /holds credentials/],
    ["a body of GET", `fetch("http://a.example", { body: "x" })`, /GET\/HEAD/],
    [
      "a line break in a header",
      `fetch("http://a", { headers: { a: "b\\r\\nc: d" } })`,
      /header a/,
    ],
    ["a forbidden method", `fetch("http://a.example", { method: "CONNECT" })`, /CONNECT/],
  ])("refuses %s without a call", async (_, expression, message) => {
    const calls: unknown[] = [];
    const ran = await run(`return await ${expression}`, async (payload) => {
      calls.push(payload);
      return await Promise.resolve(OK);
    });
    expect(ran.ending).toMatchObject({ error: { code: "script.threw" } });
    expect(JSON.stringify(ran.ending)).toMatch(message);
    expect(calls).toEqual([]);
  });

  it("sends at most six at once and fifty in all, and no body above 1 MiB", async () => {
    let open = 0;
    let most = 0;
    let count = 0;
    const slow: HostCall = async () => {
      open += 1;
      count += 1;
      most = Math.max(most, open);
      await new Promise((resolve) => setImmediate(resolve));
      open -= 1;
      return OK;
    };
    const ran = await run(
      `const all = await Promise.allSettled(Array.from({ length: 60 }, () => fetch("http://a.example")));
       return [all.filter((one) => one.status === "fulfilled").length, all.at(-1).reason.code];`,
      slow,
    );
    expect(resultOf(ran)).toEqual([50, "quota.fetches"]);
    expect([most, count]).toEqual([6, 50]);
    const large = await run(
      `await fetch("http://a.example", { method: "POST", body: "x".repeat(2 ** 20 + 1) })`,
      slow,
    );
    expect(codeOf(large)).toBe("egress.too_large");
  });

  it("gives up when its own signal aborts, and when the job is cancelled", async () => {
    const never: HostCall = async () => await new Promise(() => {});
    const own = await run(
      `try { await fetch("http://a.example", { signal: AbortSignal.timeout(5) }) } catch (e) { return e.name }`,
      never,
    );
    expect(resultOf(own)).toBe("TimeoutError");
    const before = await run(
      `try { await fetch("http://a.example", { signal: AbortSignal.abort("why") }) } catch (e) { return e }`,
      never,
    );
    expect(resultOf(before)).toBe("why");
    const ran = await sandbox.run(
      `export default async () => { try { await fetch("http://a.example") } catch (e) { console.log(e.name) } }`,
      { calls: new Map([["fetch", never]]), timeoutMs: 300 },
    );
    expect(ran.output).toEqual(["STDOUT TimeoutError"]);
  });
});

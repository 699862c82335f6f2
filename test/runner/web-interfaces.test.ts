import { afterAll, beforeAll, describe, expect, it } from "vitest";

import { resultOf, type Sandbox, startSandbox } from "../support/runner-sandbox.ts";

/** Expressions whose values must be those of Node's own interfaces. `await` is allowed. */
const SNIPPETS: Readonly<Record<string, readonly string[]>> = {
  url: [
    `new URL("../b?x=1#y", "https://user:pw@EXAMPLE.com:8443/a/c").href`,
    `new URL("http://münchen.example/ä?ö=ü").href`,
    `new URL("http://xn--mnchen-3ya.example").hostname`,
    `new URL("http://faß.example").hostname`,
    `new URL("http://[::ffff:10.0.0.1]/").host`,
    `["0x7f000001", "127.1", "2130706433", "017700000001"].map((h) => new URL("http://" + h).hostname)`,
    `["http://a b", "http://[::1", "//x", "http://xn--a", "http://a%00b"].map((u) => URL.canParse(u))`,
    `URL.parse("nonsense")`,
    `(() => { try { new URL("nonsense") } catch (e) { return e.name } })()`,
    `(() => { const u = new URL("http://a/?x=1"); u.searchParams.append("y", "ä &"); u.hash = "z"; return [u.href, JSON.stringify(u), String(u)] })()`,
    `[...new URLSearchParams({ a: "1", b: "ü" })]`,
    `new URLSearchParams([["b", "2"], ["a", "1 1"]]).toString()`,
    `(() => { const p = new URLSearchParams("?b=2&a=1&a=3"); p.sort(); p.delete("a", "3"); return [p.size, p.getAll("a"), p.has("b"), String(p)] })()`,
    `[URL.name, URLSearchParams.name, Object.prototype.toString.call(new URL("a:b"))]`,
  ],
  encoding: [
    `[...new TextEncoder().encode("aäß€😀\\ud800")]`,
    `(() => { const b = new Uint8Array(5); return [new TextEncoder().encodeInto("a€😀", b), [...b]] })()`,
    `new TextDecoder().decode(new Uint8Array([0xef, 0xbb, 0xbf, 0x61, 0xff, 0xe2, 0x82]))`,
    `new TextDecoder("utf-8", { ignoreBOM: true }).decode(new Uint8Array([0xef, 0xbb, 0xbf, 0x61]))`,
    `(() => { try { new TextDecoder("utf-8", { fatal: true }).decode(new Uint8Array([0xff])) } catch (e) { return e.name } })()`,
    `(() => { const d = new TextDecoder(); return [d.decode(new Uint8Array([0xe2, 0x82]), { stream: true }), d.decode(new Uint8Array([0xac])), d.encoding] })()`,
    `new TextDecoder("utf-16le").decode(new Uint16Array([0x61, 0xd83d, 0xde00]))`,
    `new TextDecoder("latin1").encoding`,
    `new TextDecoder("iso-8859-2").decode(new Uint8Array([0xb1, 0xe6]))`,
    `(() => { try { new TextDecoder("nothing") } catch (e) { return e.name } })()`,
    `["YQ==", "YQ", " Y Q = = ", "/+8="].map((t) => [...atob(t)].map((c) => c.charCodeAt(0)))`,
    `["YQ=", "Y", "Y===", "a*b="].map((t) => { try { return atob(t) } catch (e) { return [e.name, e.code] } })`,
    `[btoa(""), btoa("a\\xff"), btoa(null), btoa(12)]`,
    `(() => { try { btoa("€") } catch (e) { return [e.name, e.code, e instanceof DOMException] } })()`,
  ],
  events: [
    `(() => { const seen = []; const t = new EventTarget(); const l = (e) => seen.push(e.type, e.target === t); t.addEventListener("x", l); t.addEventListener("x", l); t.addEventListener("x", { handleEvent: () => seen.push("object") }, { once: true }); t.dispatchEvent(new Event("x")); t.dispatchEvent(new Event("x")); t.removeEventListener("x", l); t.dispatchEvent(new Event("x")); return seen })()`,
    `(() => { const t = new EventTarget(); t.addEventListener("x", (e) => e.preventDefault()); return [t.dispatchEvent(new Event("x", { cancelable: true })), t.dispatchEvent(new Event("x"))] })()`,
    `(() => { const c = new AbortController(); const seen = []; const t = new EventTarget(); t.addEventListener("x", () => seen.push(1), { signal: c.signal }); c.abort(); t.dispatchEvent(new Event("x")); return seen })()`,
    `(() => { const c = new AbortController(); const seen = []; c.signal.onabort = (e) => seen.push(e.type); c.signal.addEventListener("abort", () => seen.push("heard")); c.abort(); c.abort("again"); return [seen, c.signal.aborted, c.signal.reason.name, c.signal.reason.code] })()`,
    `(() => { const a = new AbortController(); const b = AbortSignal.any([a.signal, new AbortController().signal]); const c = AbortSignal.any([b]); a.abort("why"); return [b.aborted, c.reason, AbortSignal.any([b]).aborted] })()`,
    `(() => { try { AbortSignal.abort().throwIfAborted() } catch (e) { return [e.name, e instanceof Error, e instanceof DOMException] } })()`,
    `await new Promise((r) => { const s = AbortSignal.timeout(5); s.onabort = () => r([s.reason.name, s.reason.code]) })`,
    `(() => { try { new AbortSignal() } catch (e) { return e.name } })()`,
    `(() => { const e = new DOMException("m", "DataCloneError"); return [e.name, e.message, e.code, String(e), DOMException.ABORT_ERR, e.DATA_CLONE_ERR, Object.prototype.toString.call(e), e.stack.split("\\n")[0]] })()`,
    `(() => { const e = new DOMException("m", { name: "X", cause: 1 }); return [e.name, e.cause, e.code] })()`,
  ],
  clone: [
    `structuredClone({ a: [1, , "x"], d: new Date(5), r: /x/gi, n: null, u: undefined, b: 1n, z: -0 }.d.getTime())`,
    `(() => { const o = { a: 1 }; o.self = o; const c = structuredClone([o, o]); return [c[0] === c[1], c[0].self === c[0], c[0] !== o] })()`,
    `(() => { const c = structuredClone(new Map([[{ k: 1 }, new Set([1, "a"])]])); return [...c].map(([k, v]) => [k, [...v]]) })()`,
    `(() => { const b = new ArrayBuffer(8); const c = structuredClone({ x: new Uint8Array(b, 2, 3), y: new DataView(b, 1), b }); return [c.x.buffer === c.b, c.y.buffer === c.b, c.x.byteOffset, c.x.length, c.y.byteOffset, c.b !== b] })()`,
    `(() => { const b = new ArrayBuffer(8); const c = structuredClone(b, { transfer: [b] }); return [b.byteLength, b.detached, c.byteLength] })()`,
    `(() => { const e = new RangeError("m", { cause: { a: 1 } }); e.extra = 1; const c = structuredClone(e); return [c.name, c.message, c.cause, c instanceof RangeError, "extra" in c, c.stack === e.stack] })()`,
    `(() => { class A { x = 1; get y() { return 2 } } const c = structuredClone(new A()); return [c, Object.getPrototypeOf(c) === Object.prototype] })()`,
    `[() => {}, Symbol("s"), new WeakMap(), Promise.resolve(), { f() {} }].map((v) => { try { structuredClone(v) } catch (e) { return [e.name, e.code] } })`,
    `(() => { const c = structuredClone([, 1]); return [c.length, 0 in c, Object.is(structuredClone(-0), -0)] })()`,
    `(() => { const c = structuredClone(JSON.parse('{ "__proto__": { "x": 1 } }')); return [Object.hasOwn(c, "__proto__"), c.x] })()`,
    `[Object(1), Object("s"), Object(true), Object(5n)].map((v) => typeof structuredClone(v).valueOf())`,
  ],
  fetch: [
    `[...new Headers({ B: " 2 ", a: "1" })]`,
    `(() => { const h = new Headers([["a", "1"], ["A", "2"], ["set-cookie", "x"], ["Set-Cookie", "y"]]); h.delete("none"); return [h.get("a"), h.getSetCookie(), [...h], [...h.keys()], [...h.values()], h.has("A"), h.get("none")] })()`,
    `[...new Headers(new Map([["a", "b"]]))]`,
    `["a b", "", "ä"].map((n) => { try { new Headers([[n, "x"]]) } catch (e) { return e.name } })`,
    `["a\\nb", "€", "a\\0"].map((v) => { try { new Headers([["n", v]]) } catch (e) { return e.name } })`,
    `(() => { const seen = []; new Headers({ b: "1", a: "2" }).forEach((v, n) => seen.push(n + v)); return seen })()`,
    `[await new Response("ä€").text(), [...await new Response("ä").bytes()], (await new Response("ab").arrayBuffer()).byteLength]`,
    `await new Response('{"a":[1]}').json()`,
    `await new Response("{").json().catch((e) => e.name)`,
    `(() => { const r = new Response("x", { status: 404, statusText: "No", headers: { a: "b" } }); return [r.status, r.ok, r.statusText, r.headers.get("a"), r.headers.get("content-type"), r.type, r.url, r.redirected] })()`,
    `await (async () => { const r = new Response("x"); await r.text(); return [r.bodyUsed, await r.text().catch((e) => e.name), (() => { try { r.clone() } catch (e) { return e.name } })()] })()`,
    `await (async () => { const r = new Response(); await r.text(); return [r.bodyUsed, await r.text()] })()`,
    `await (async () => { const r = Response.json({ a: 1 }, { status: 201 }); return [r.status, r.headers.get("content-type"), await r.text()] })()`,
    `(() => { const r = Response.redirect("http://a/b", 307); return [r.status, r.headers.get("location")] })()`,
    `(() => { const r = Response.error(); return [r.type, r.status, r.ok] })()`,
    `[199, 600, "x"].map((status) => { try { new Response("", { status }) } catch (e) { return e.name } })`,
    `(() => { try { new Response("x", { status: 204 }) } catch (e) { return e.name } })()`,
    `await (async () => { const r = new Request("http://a/b?c", { method: "post", body: "x", headers: { a: "1" } }); const c = r.clone(); const n = new Request(r, { method: "PUT" }); return [r.method, r.url, r.bodyUsed, n.method, await n.text(), await c.text(), c.headers.get("content-type"), c.redirect] })()`,
    `(() => { const c = new AbortController(); const r = new Request("http://a", { signal: c.signal }); c.abort("why"); return [r.signal.aborted, r.signal.reason, r.signal === c.signal] })()`,
    `["Custom", "get", "DELETE"].map((method) => new Request("http://a", { method }).method)`,
    `[["http://u:p@a"], ["x"], ["http://a", { method: "a b" }], ["http://a", { body: "x" }], ["http://a", { redirect: "x" }]].map((args) => { try { new Request(...args) } catch (e) { return e.name } })`,
    `[new Response("a"), new Request("http://a"), new Headers()].map((o) => Object.prototype.toString.call(o))`,
    `await (async () => { const b = new Uint8Array([1, 2]); const r = new Response(b); b[0] = 9; return [...await r.bytes()] })()`,
    `await new Response(new Uint8Array([0xef, 0xbb, 0xbf, 0x61, 0xff])).text()`,
  ],
  crypto: [
    `await Promise.all(["SHA-1", "sha-256", { name: "SHA-384" }, "SHA-512"].map(async (a) => [...new Uint8Array(await crypto.subtle.digest(a, new Uint8Array([97, 98, 99])))]))`,
    `[...new Uint8Array(await crypto.subtle.digest("SHA-256", new Uint8Array([1, 97, 2]).subarray(1, 2)))]`,
    `await crypto.subtle.digest("MD5", new Uint8Array(1)).catch((e) => e.name)`,
    `(() => { const a = crypto.getRandomValues(new Uint32Array(64)); return [a.length, new Set(a).size > 60] })()`,
    `[new Float64Array(1), new Uint8Array(65537)].map((a) => { try { crypto.getRandomValues(a) } catch (e) { return e.name } })`,
    `/^[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/.test(crypto.randomUUID())`,
  ],
};

describe("the Web's interfaces in a script behave as in Node", () => {
  let sandbox: Sandbox;

  beforeAll(async () => {
    sandbox = await startSandbox({ limits: { cpuMs: 5_000 } });
  });

  afterAll(async () => {
    await sandbox.stop();
  });

  it.each(Object.keys(SNIPPETS))("%s", async (subject) => {
    const snippets = SNIPPETS[subject] ?? [];
    const code = `export default async () => [${snippets.map((one) => `await (async () => ${one})()`).join(",\n")}]`;
    const inNode = (await import(`data:text/javascript,${encodeURIComponent(code)}`)) as {
      readonly default: () => Promise<unknown[]>;
    };
    const expected = JSON.parse(JSON.stringify(await inNode.default())) as unknown[];
    const found = resultOf(await sandbox.run(code)) as unknown[];
    const told = snippets.map((snippet, at) => ({ snippet, value: found[at] }));
    expect(told).toEqual(snippets.map((snippet, at) => ({ snippet, value: expected[at] })));
  });

  it("know no encodings of East Asia, and say so", async () => {
    const code = `export default () => { try { new TextDecoder("gbk") } catch (e) { return String(e) } }`;
    expect(resultOf(await sandbox.run(code))).toBe(
      "RangeError: the encoding gbk is not available here",
    );
  });

  it("are random anew in each attempt", async () => {
    const code = `export default () => [crypto.randomUUID(), crypto.getRandomValues(new Uint8Array(4)).length]`;
    const one = resultOf(await sandbox.run(code)) as unknown[];
    const other = resultOf(await sandbox.run(code)) as unknown[];
    expect(one[0]).not.toBe(other[0]);
  });

  it("fail the attempt with what a listener throws", async () => {
    const code = `export default () => {
      const target = new EventTarget();
      target.addEventListener("x", () => { throw new Error("in a listener"); });
      target.dispatchEvent(new Event("x"));
      return new Promise(() => {});
    }`;
    expect((await sandbox.run(code)).ending).toMatchObject({
      error: { code: "script.threw", message: "in a listener" },
    });
  });
});

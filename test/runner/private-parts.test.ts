import { afterAll, beforeAll, describe, expect, it } from "vitest";

import { resultOf, type Sandbox, startSandbox } from "../support/runner-sandbox.ts";

/**
 * Patches what library code may use, notes every function that comes by, directly or as a property,
 * uses the whole surface, and then calls all of them as the post to the host is called.
 */
const COLLECTOR = `
  const seen = new Set();
  const { apply, ownKeys, getOwnPropertyDescriptor, defineProperty } = Reflect;
  const add = Set.prototype.add;
  const note = (value, depth = 0) => {
    if (value === null || (typeof value !== "object" && typeof value !== "function")) return;
    if (typeof value === "function") apply(add, seen, [value]);
    if (depth > 2) return;
    for (const key of ownKeys(value)) {
      const own = getOwnPropertyDescriptor(value, key);
      note(own.value, depth + 1); note(own.get, depth + 1); note(own.set, depth + 1);
      if (own.get && depth < 2) try { note(apply(own.get, value, []), depth + 1) } catch {}
    }
  };
  let busy = false;
  const spy = (on, key) => {
    const real = getOwnPropertyDescriptor(on, key).value;
    if (typeof real !== "function" || key === "constructor") return;
    try {
      on[key] = function (...args) {
        if (!busy) {
          busy = true;
          try { note(this); for (let i = 0; i < args.length; i++) note(args[i]) } finally { busy = false }
        }
        return apply(real, this, args);
      };
    } catch {}
  };
  for (const type of [Function, Map, WeakMap, Set, Array, Promise, RegExp, Object]) {
    for (const key of ownKeys(type.prototype)) if (typeof key === "string") spy(type.prototype, key);
  }
  for (const key of ["defineProperty", "getOwnPropertyNames", "keys", "entries", "assign", "freeze"]) spy(Object, key);
  for (const key of ["stringify", "parse"]) spy(JSON, key);
  for (const key of ["post", "send", "call", "run", "code", "name", "signal", "0", "1"]) {
    defineProperty(Object.prototype, key, {
      configurable: true,
      get() { return undefined },
      set(value) {
        if (!busy) { busy = true; try { note(this); note(value) } finally { busy = false } }
        defineProperty(this, key, { value, writable: true, configurable: true, enumerable: true });
      },
    });
  }
`;

const USE = `
  const names = GLOBALS;
  for (const name of names) note(globalThis[name]);
  const tries = [
    () => new URL("http://münchen.example/?a=1").searchParams.append("b", "2"),
    () => new TextDecoder().decode(new TextEncoder().encode("ä")),
    () => atob(btoa("x")),
    () => structuredClone(new Map([[1, { a: new Uint8Array(2) }]])),
    () => crypto.randomUUID() + crypto.getRandomValues(new Uint8Array(3)),
    () => crypto.subtle.digest("SHA-256", new Uint8Array(1)),
    () => { const c = new AbortController(); c.signal.onabort = () => {}; AbortSignal.any([c.signal, ctx.signal]); c.abort(); },
    () => new Promise((done) => { AbortSignal.timeout(1).addEventListener("abort", done) }),
    () => new Response("x", { headers: { a: "b" } }).clone().json(),
    () => fetch("http://a.example", { method: "POST", body: "x" }).then((r) => r.text()),
    () => ctx.step("one", () => ({ a: 1 })),
    () => ctx.sleep(1),
    () => { ctx.progress(0.5); ctx.log("fine", { a: [1] }, new Map([[1, 2]])); console.log("%s", "fine"); },
    () => new Promise((done) => { setTimeout(done, 1); queueMicrotask(() => {}); }),
  ];
  for (const run of tries) { try { await run() } catch {} }
  note(ctx);
`;

const CALL = `
  busy = true;
  const own = new Set([ctx.log, ctx.output, ctx.progress, ctx.step, ctx.sleep, ...Object.values(console)]);
  let called = 0;
  for (const one of [...seen]) {
    if (own.has(one)) continue;
    called += 1;
    try { apply(one, undefined, ["output", "STDOUT", "LEAK", "", ""]) } catch {}
  }
  return called;
`;

describe("what is private to the guest", () => {
  let sandbox: Sandbox;

  beforeAll(async () => {
    sandbox = await startSandbox({ limits: { cpuMs: 20_000, timers: 100_000 } });
  });

  afterAll(async () => {
    await sandbox.stop();
  });

  it("is seen by no patched prototype, whatever of the surface is used", async () => {
    const { GLOBALS } = await import("../../runner/surface/globals.ts");
    const names = JSON.stringify(GLOBALS.map(({ name }) => name));
    const code = `${COLLECTOR}
      export default async (_, ctx) => { ${USE.replace("GLOBALS", names)} ${CALL} }`;
    const answer = {
      status: 200,
      statusText: "",
      url: "http://a.example/",
      redirected: false,
      headers: [],
      body: "",
    };
    const ran = await sandbox.run(code, {
      calls: new Map([
        ["fetch", async () => await Promise.resolve(answer)],
        ["step.finish", async () => await Promise.resolve({})],
      ]),
      timeoutMs: 30_000,
    });
    expect(ran.output.filter((row) => row.includes("LEAK"))).toEqual([]);
    expect(resultOf(ran)).toBeGreaterThan(300);
  });
});

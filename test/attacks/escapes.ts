import { type Attack, script, value } from "./attack.ts";

/** Walks everything that can be reached from `roots`, and calls `visit` for each object with its path. */
const WALK = `
  const walk = (roots, visit) => {
    const seen = new Set();
    const queue = roots.map(([path, root]) => [path, root]);
    const add = (path, one) => {
      if ((typeof one !== "object" && typeof one !== "function") || one === null || seen.has(one)) return;
      seen.add(one);
      queue.push([path, one]);
    };
    for (let at = 0; at < queue.length; at++) {
      const [path, one] = queue[at];
      if (one === null || one === undefined) continue;
      visit(path, one);
      add(path + ".[[Prototype]]", Object.getPrototypeOf(one));
      for (const key of Reflect.ownKeys(one)) {
        const found = Object.getOwnPropertyDescriptor(one, key);
        const name = path + "." + String(key);
        if (found === undefined) continue;
        if ("value" in found) add(name, found.value);
        add(name + ".get", found.get);
        add(name + ".set", found.set);
        if (found.get !== undefined) try { add(name + "()", found.get.call(one)); } catch {}
      }
    }
    return seen.size;
  };
  const caught = [];
  const keep = (name) => (error) => { caught.push([name, error]); };
  const errorsOfTheHost = async (ctx) => {
    await import("node:fs").catch(keep("import"));
    await ctx.step("", () => 1).catch(keep("step"));
    await ctx.step("a", 1).catch(keep("step"));
    try { for (;;) setTimeout(() => {}, 1e6); } catch (error) { keep("timer")(error); }
    try { ctx.progress(NaN); } catch (error) { keep("progress")(error); }
    try { ctx.jobId = "x"; } catch (error) { keep("ctx")(error); }
    try { queueMicrotask(1); } catch (error) { keep("microtask")(error); }
    if (typeof fetch === "function") await fetch("http://127.0.0.1/").catch(keep("fetch"));
    return caught;
  };
`;

const MAKERS = `
  const makers = (one) => {
    const found = [];
    for (let at = one; at !== null && at !== undefined; at = Object.getPrototypeOf(at)) {
      const own = Object.getOwnPropertyDescriptor(at, "constructor")?.value;
      if (typeof own === "function") found.push(own, own.constructor);
    }
    return found;
  };
  const runs = (maker) => {
    try { return maker("return typeof process + typeof require + typeof global + (globalThis === self)")(); } catch (error) { return error.name; }
  };
`;

/** Ways out of the isolate. */
export const escapes: readonly Attack[] = [
  {
    name: "code from text, by every constructor of functions",
    code: script(`
      const kinds = [function () {}, async () => {}, function* () {}, async function* () {}];
      const came = [];
      const text = "return [typeof process, typeof require, globalThis === self]";
      for (const kind of kinds) {
        let got = kind.constructor(text)();
        if (typeof got.next === "function") got = (await got.next()).value;
        came.push(String(await got));
      }
      came.push(String((0, eval)("[typeof process, typeof require, globalThis === self]")));
      try { (() => {}).constructor("return process")(); } catch (error) { came.push(error.name); }
      return [...new Set(came)];
    `),
    outcome: value(["undefined,undefined,true", "ReferenceError"]),
  },
  {
    name: "code from text, by whatever made what can be reached",
    code: `${WALK}${MAKERS}${script(`
      const came = new Set();
      const errors = await errorsOfTheHost(ctx);
      walk([["globalThis", globalThis], ["ctx", ctx], ["input", input], ["errors", errors]], (path, one) => {
        for (const maker of makers(one)) if (/^(Async|Generator|AsyncGenerator)?Function$/.test(maker.name)) came.add(maker === Function ? runs(maker) : "not Function");
      });
      came.delete("not Function");
      return [...came];
    `)}`,
    outcome: value(["undefinedundefinedundefinedtrue"]),
  },
  {
    name: "objects of another realm",
    code: `${WALK}${script(`
      const foreign = [];
      const errors = await errorsOfTheHost(ctx);
      const size = walk([["globalThis", globalThis], ["ctx", ctx], ["input", input], ["errors", errors]], (path, one) => {
        let last = one;
        for (let at = one; at !== null; at = Object.getPrototypeOf(at)) last = at;
        if (typeof one === "function" && !(one instanceof Function) && one !== Function.prototype) foreign.push(path);
        const ownRoot = last === Object.prototype || Object.getOwnPropertyNames(last).length >= 0 && Object.getPrototypeOf(one) === null;
        if (!ownRoot) foreign.push(path);
      });
      const wrong = errors.filter(([, error]) => !(error instanceof Error)).map(([name]) => name);
      return { foreign, wrong, errors: errors.length >= 6, many: size > 500 };
    `)}`,
    input: { a: [1, { b: null }] },
    outcome: value({ foreign: [], wrong: [], errors: true, many: true }),
  },
  {
    name: "handles of isolated-vm",
    code: `${WALK}${script(`
      const names = new Set(["Reference", "Callback", "ExternalCopy", "Isolate", "Context", "NativeModule", "Session", "Script", "Module"]);
      const methods = ["applySync", "applyIgnored", "applySyncPromise", "derefInto", "copySync", "getSync", "setSync"];
      const found = [];
      const errors = await errorsOfTheHost(ctx);
      walk([["globalThis", globalThis], ["ctx", ctx], ["errors", errors]], (path, one) => {
        let name;
        try { name = one.constructor?.name; } catch {}
        if (names.has(name)) found.push(path);
        for (const method of methods) if (Object.hasOwn(one, method)) found.push(path + "." + method);
      });
      const left = Reflect.ownKeys(globalThis).filter((name) => String(name).includes("millrace"));
      return [...found, ...left];
    `)}`,
    outcome: value([]),
  },
  {
    name: "the frames of our own functions",
    code: script(`
      const seen = [];
      Error.stackTraceLimit = 100;
      Error.prepareStackTrace = (error, sites) => {
        for (const site of sites) {
          seen.push(typeof site.getThis(), typeof site.getFunction(), String(site.getFileName()).includes("/"), String(site.getEvalOrigin()).includes("/"));
        }
        return "";
      };
      const look = () => void new Error("x").stack;
      look();
      await ctx.step("a", look);
      await new Promise((done) => setTimeout(() => { look(); done(); }, 1));
      await new Promise((done) => queueMicrotask(() => { look(); done(); }));
      console.log({ get a() { look(); return 1; } });
      JSON.stringify({ toJSON: look });
      return [...new Set(seen)].sort();
    `),
    outcome: value([false, "undefined"]),
  },
  {
    name: "the callers of our callbacks",
    code: script(`
      const found = [];
      const look = () => {
        for (const name of ["caller", "arguments"]) {
          try { found.push(look[name] ?? null); } catch (error) { found.push(error.name); }
        }
      };
      await ctx.step("a", look);
      await new Promise((done) => setTimeout(() => { look(); done(); }, 1));
      try { found.push(ctx.log.caller ?? null); } catch (error) { found.push(error.name); }
      try { found.push(setTimeout.arguments ?? null); } catch (error) { found.push(error.name); }
      return [...new Set(found)];
    `),
    outcome: value(["TypeError"]),
  },
  {
    name: "captureStackTrace on what is ours",
    code: script(`
      const came = [];
      for (const one of [ctx, ctx.signal, console, globalThis, setTimeout]) {
        try { Error.captureStackTrace(one); came.push(typeof one.stack); } catch (error) { came.push(error.name); }
      }
      return came;
    `),
    outcome: value(["TypeError", "string", "string", "string", "string"]),
    also: () => {},
  },
];

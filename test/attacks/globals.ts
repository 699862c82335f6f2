import { type Attack, fails, script, value } from "./attack.ts";

/** Changes of what everything shares: prototypes, globals, what our own code works with. */
export const globals: readonly Attack[] = [
  {
    name: "setters at every index and name of the prototypes",
    code: script(`
      const stolen = new Set();
      let armed = false;
      const take = (one) => {
        if (!armed) return;
        if ((typeof one === "object" && one !== null) || typeof one === "function") stolen.add(one); };
      const names = ["then", "toJSON", "reference", "copy", "result", "resolve",
        "reject", "run", "args", "due", "live", "id", "every", "listener", "once", "type", "target", "signal", "timers",
        "calls", "attempt", "code", "message", "name", "cause", "index", "length_", "fileName", "path", "room",
        "done", "next", "return", "apply", "call", "bind", "raw", "input", "flags"];
      const trap = (where, key) => {
        try {
          Object.defineProperty(where, key, {
            __proto__: null,
            configurable: true,
            get() { take(this); return undefined; },
            set(given) { take(this); take(given); },
          });
        } catch {}
      };
      for (const name of names) if (!(name in Object.prototype)) trap(Object.prototype, name);
      for (let i = 0; i < 20; i++) { trap(Object.prototype, i); trap(Array.prototype, i); }
      const mine = () => {};
      armed = true;
      const listener = () => {};
      setTimeout(mine, 1);
      setTimeout(mine, 2);
      const third = setTimeout(mine, 3);
      clearTimeout(third);
      console.log("a %s", { a: [1, [2]] }, new Map([[1, 2]]), [1, 2, 3]);
      ctx.progress({ __proto__: null, done: 1, total: 2, message: "m" });
      ctx.progress(0.7);
      ctx.progress(0.8);
      await new Promise((done) => setTimeout(done, 60));
      await ctx.sleep(1);
      ctx.signal.addEventListener("abort", listener);
      await ctx.step("a", () => 1).catch(() => {});
      await ctx.step("b", () => ({ a: 1 })).catch(() => {});
      armed = false;
      for (const where of [Object.prototype, Array.prototype]) {
        for (const key of Reflect.ownKeys(where)) {
          const found = Object.getOwnPropertyDescriptor(where, key);
          if (found.get !== undefined && key !== "__proto__") delete where[key];
        }
      }
      const known = new Set([mine, listener, ctx, console, globalThis, Object.prototype, Array.prototype]);
      const strange = [...stolen].filter((one) => !known.has(one)).filter((one) =>
        typeof one === "function" ? one !== mine : Reflect.ownKeys(one).some((key) => typeof one[key] === "function" && one[key] !== mine && one[key] !== listener));
      return strange.map((one) => typeof one === "function" ? "function " + one.name : Reflect.ownKeys(one).map(String).join());
    `),
    outcome: value([]),
  },
  {
    name: "patched Map, Array, Promise, JSON and Reflect, before each function is used",
    code: script(`
      const seen = [];
      const spy = (where, name) => {
        const found = Object.getOwnPropertyDescriptor(where, name);
        if (typeof found?.value !== "function" || !found.configurable) return;
        Object.defineProperty(where, name, { ...found, value: function (...given) { seen[seen.length] = name; return found.value.apply(this, given); } });
      };
      for (const type of [Map, WeakMap, Set, Array, String, Promise, Function]) {
        for (const name of Object.getOwnPropertyNames(type.prototype)) if (!["constructor", "apply"].includes(name)) spy(type.prototype, name);
      }
      for (const space of [JSON, Reflect, Math]) for (const name of Object.getOwnPropertyNames(space)) spy(space, name);
      for (const name of ["keys", "freeze", "defineProperty", "getPrototypeOf"]) spy(Object, name);
      seen.length = 0;
      console.log("a", { b: [1] });
      ctx.log(1); ctx.output("c"); ctx.progress(0.5);
      clearTimeout(setTimeout(() => {}, 5));
      queueMicrotask(() => {});
      await new Promise((done) => setTimeout(done, 1));
      await ctx.sleep(1);
      await ctx.step("a", () => 1);
      return [...new Set(seen)];
    `),
    outcome: value([]),
  },
  {
    name: "whatever the libraries of signals and fetch can be seen to work with, called like the way to the host",
    code: script(`
      const seen = new Set();
      const found = [];
      let armed = false;
      const take = (one) => {
        if ((typeof one !== "object" && typeof one !== "function") || one === null || seen.has(one)) return;
        seen.add(one); found[found.length] = one;
      };
      const spies = new Set();
      const spy = (where, name) => {
        const { value: own, ...rest } = Object.getOwnPropertyDescriptor(where, name);
        if (typeof own !== "function" || !rest.configurable) return;
        const watching = function (...given) {
          const came = own.apply(this, given);
          if (armed) { armed = false; take(this); for (let i = 0; i < given.length; i++) take(given[i]); take(came); armed = true; }
          return came;
        };
        spies.add(watching);
        Object.defineProperty(where, name, { ...rest, value: watching });
      };
      const add = Set.prototype.add, has = Set.prototype.has;
      seen.add = add; seen.has = has;
      for (const type of [Map, WeakMap, Set, WeakSet, Array, String, Promise, Function]) {
        for (const name of Object.getOwnPropertyNames(type.prototype)) if (!["constructor", "apply", "size"].includes(name)) spy(type.prototype, name);
      }
      for (const space of [JSON, Reflect]) for (const name of Object.getOwnPropertyNames(space)) spy(space, name);
      for (const name of ["keys", "freeze", "defineProperty", "getPrototypeOf", "create", "assign"]) spy(Object, name);
      armed = true;
      ctx.signal.addEventListener("abort", () => {});
      await fetch("upstream://core/", { headers: { "x-key": ctx.secrets.key }, signal: ctx.signal });
      armed = false;
      const functions = [];
      for (let at = 0; at < found.length; at++) {
        const one = found[at];
        if (typeof one === "function" && !spies.has(one)) functions[functions.length] = one;
        for (const key of Reflect.ownKeys(one)) try { take(one[key]); } catch {}
      }
      const natives = [Function, eval];
      for (const one of functions) {
        if (natives.includes(one)) continue;
        for (const words of [["output", "STDOUT", "forged"], ["call", 1, "fetch", "{}"], ["succeeded", '"forged"']]) try { one(...words); } catch {}
      }
      return functions.length > 50 ? "mine" : functions.length;
    `),
    outcome: value("mine"),
    also: ({ output }) => {
      if (output.join().includes("forged")) throw new Error("it has found the way to the host");
    },
  },
  {
    name: "hasInstance and toPrimitive of what our code compares with",
    code: script(`
      const seen = [];
      for (const type of [Error, Date, Map, Set, Promise, Function, Object, Array]) {
        Object.defineProperty(type, Symbol.hasInstance, { configurable: true, value: (one) => { seen.push(one); return false; } });
      }
      console.log(new Error("mine"), new Date(0), { a: 1 });
      await ctx.step("a", () => { throw new RangeError("mine"); }).catch(() => {});
      for (const type of [Error, Date, Map, Set, Promise, Function, Object, Array]) delete type[Symbol.hasInstance];
      return seen.filter((one) => typeof one === "function" || (typeof one === "object" && one !== null && Object.values(one).some((inner) => typeof inner === "function"))).length;
    `),
    outcome: value(0),
  },
  {
    name: "then on Object.prototype",
    code: script(`
      Object.prototype.then = function (take) { take("stolen"); };
      return 1;
    `),
    outcome: value(1),
  },
  {
    name: "a setter of then on Promise.prototype, and a species",
    code: script(`
      const stolen = [];
      const then = Promise.prototype.then;
      Promise.prototype.then = function (...given) { stolen.push(...given); return then.apply(this, given); };
      Object.defineProperty(Promise, Symbol.species, { get() { stolen.push("species"); return Promise; } });
      await ctx.sleep(1);
      await ctx.step("a", () => 1);
      Promise.prototype.then = then;
      return stolen.length;
    `),
    outcome: value(0),
  },
  {
    name: "a prototype for globalThis, and all globals replaced",
    code: script(`
      for (const name of Object.getOwnPropertyNames(globalThis)) {
        if (name === "globalThis") continue;
        try { globalThis[name] = () => { throw 1; }; } catch {}
      }
      ctx.log("still here");
      await ctx.sleep(1);
      return "fine";
    `),
    outcome: value("fine"),
  },
  {
    name: "changes of ctx",
    code: script(`
      "use strict";
      const came = [];
      const attempt = (run) => { try { run(); came.push("done"); } catch (error) { came.push(error.name); } };
      attempt(() => { ctx.jobId = "other"; });
      attempt(() => { delete ctx.log; });
      attempt(() => { Object.setPrototypeOf(ctx, null); });
      attempt(() => { ctx.signal.aborted = true; });
      return [came, ctx.signal.aborted];
    `),
    outcome: value([["TypeError", "TypeError", "TypeError", "TypeError"], false]),
  },
  {
    name: "what the job before has left",
    code: script(
      "return [typeof left, typeof [].left, typeof ({}).left, Object.keys(Object.prototype).length, typeof [].push];",
    ),
    outcome: value(["undefined", "undefined", "undefined", 0, "function"]),
  },
  {
    name: "something left for the job after",
    code: script(`
      globalThis.left = 1; Array.prototype.left = 1; Object.prototype.left = 1; delete Array.prototype.push;
      new FinalizationRegistry(() => { for (;;); }).register({}, 1);
      setInterval(() => {}, 1); Promise.reject.left = 1; Symbol.for("left");
      return 1;
    `),
    outcome: value(1),
  },
  {
    name: "buffers that are detached while they are used",
    code: script(`
      const buffer = new ArrayBuffer(1e5, { maxByteLength: 2e5 });
      const view = new Uint8Array(buffer);
      const came = [];
      try { view.fill({ valueOf() { buffer.transfer(); return 7; } }); came.push("filled"); } catch (error) { came.push(error.name); }
      const second = new ArrayBuffer(1e5, { maxByteLength: 2e5 });
      const other = new Uint8Array(second);
      try { other.sort((a, b) => { second.resize(1); return a - b; }); came.push("sorted"); } catch (error) { came.push(error.name); }
      return [came.length, view.length, other.length];
    `),
    outcome: value([2, 0, 1]),
  },
  {
    name: "a locale that is no locale",
    code: script(`
      const came = [];
      for (const locale of ["../../etc", "x".repeat(1e5), "de-u-co-" + "a".repeat(1e4), { toString() { throw new Error("mine"); } }]) {
        try { (5).toLocaleString(locale); came.push("done"); } catch (error) { came.push(error.name); }
      }
      return came.every((one) => ["done", "RangeError", "Error", "TypeError"].includes(one));
    `),
    outcome: value(true),
  },
  {
    name: "weak references that outlive what they name",
    code: script(`
      const refs = [];
      for (let i = 0; i < 1e4; i++) { refs.push(new WeakRef({ i })); }
      const registry = new FinalizationRegistry(() => { throw new Error("late"); });
      for (let i = 0; i < 1e4; i++) registry.register({ i }, i);
      await ctx.sleep(20);
      return refs.length;
    `),
    outcome: value(10_000),
  },
  {
    name: "an endless proxy behind Object.prototype",
    code: script(`
      try { Object.setPrototypeOf(Object.prototype, new Proxy({}, { get() { for (;;); } })); } catch (error) { return error.name; }
    `),
    outcome: value("TypeError"),
  },
  {
    name: "an endless getter of what every array has",
    code: script(`
      Object.defineProperty(Array.prototype, Symbol.iterator, { get() { for (;;); } });
      ctx.log("a", [1]); return { a: [1] };
    `),
    outcome: value({ a: [1] }),
  },
  {
    name: "process, require, global, module",
    code: script(
      "return [typeof process, typeof require, typeof global, typeof module, typeof Buffer, typeof __dirname];",
    ),
    outcome: value(Array.from({ length: 6 }, () => "undefined")),
  },
  {
    name: "debugging and natives",
    code: script("debugger; return %GetHeapUsage();"),
    outcome: { kind: "refused", message: /syntax error/ },
  },
  {
    name: "a loop in Error.stackTraceLimit",
    code: script(
      "Object.defineProperty(Error, 'stackTraceLimit', { get() { for (;;); } }); throw new Error('x');",
    ),
    outcome: fails("script.threw", "timeout.cpu"),
  },
];

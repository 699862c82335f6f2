import { type Attack, fails, failsWith, script, type Seen, value } from "./attack.ts";

const unwritable = fails("result.not_serialisable");
const tooLarge = fails("result.too_large");

/** Of as many levels as the number says. */
const nested = (levels: number): unknown => (levels === 0 ? 1 : [nested(levels - 1)]);

const shows = (expected: string) => (seen: Seen) => {
  const text = JSON.stringify(seen.result);
  if (text !== expected) throw new Error(`the result is ${text}`);
};

/** What a script returns. */
export const results: readonly Attack[] = [
  {
    name: "a string of 512 MB",
    code: script("return 'x'.repeat(2 ** 29 - 25);"),
    outcome: fails(
      "result.too_large",
      "result.not_serialisable",
      "memory",
      "timeout.cpu",
      "runner.crashed",
    ),
  },
  { name: "a string of 2 MB", code: script("return 'x'.repeat(2 ** 21);"), outcome: tooLarge },
  {
    name: "a string that is too large in UTF-8 alone",
    code: script("return '\\u20ac'.repeat(2 ** 20 / 3);"),
    outcome: tooLarge,
  },
  {
    name: "a string that is too large with its escapes alone",
    code: script("return '\\u0000'.repeat(2 ** 20 / 5);"),
    outcome: tooLarge,
  },
  {
    name: "the largest string, all of it escaped",
    code: script("return '\\\\'.repeat(2 ** 19 - 1);"),
    outcome: value("\\".repeat(2 ** 19 - 1)),
  },
  {
    name: "200,000 objects",
    code: script("return Array.from({ length: 2e5 }, (_, i) => ({ index: i }));"),
    outcome: fails("result.too_large", "memory", "timeout.cpu"),
  },
  { name: "a circle", code: script("const a = {}; a.a = a; return a;"), outcome: unwritable },
  { name: "a function", code: script("return () => {};"), outcome: unwritable },
  { name: "a BigInt", code: script("return { a: 1n };"), outcome: unwritable },
  { name: "a symbol", code: script("return Symbol('s');"), outcome: unwritable },
  {
    name: "levels without end",
    code: script("let a = 1; for (let i = 0; i < 1e6; i++) a = [a]; return a;"),
    outcome: fails("result.not_serialisable", "memory", "timeout.cpu"),
  },
  {
    name: "31 levels",
    code: script("let a = 1; for (let i = 0; i < 31; i++) a = [a]; return a;"),
    outcome: unwritable,
  },
  {
    name: "30 levels",
    code: script("let a = 1; for (let i = 0; i < 30; i++) a = [a]; return a;"),
    outcome: value(nested(30)),
  },
  {
    name: "an own key __proto__",
    code: script(`return JSON.parse('{ "__proto__": { "left": true }, "a": 1 }');`),
    outcome: value(JSON.parse('{ "__proto__": { "left": true }, "a": 1 }')),
    also: shows('{"__proto__":{"left":true},"a":1}'),
  },
  {
    name: "keys of Object.prototype",
    code: script(
      "return { constructor: { prototype: { left: 1 } }, toString: 1, hasOwnProperty: 2 };",
    ),
    outcome: value({ constructor: { prototype: { left: 1 } }, toString: 1, hasOwnProperty: 2 }),
  },
  {
    name: "numbers that JSON does not have",
    code: script("return [NaN, Infinity, -Infinity, -0];"),
    outcome: value([null, null, null, 0]),
  },
  {
    name: "a number that is infinite once it is read",
    code: script("return JSON.rawJSON('1e999');"),
    outcome: unwritable,
  },
  {
    name: "a number of a thousand digits",
    code: script("return [JSON.rawJSON('9'.repeat(200))];"),
    outcome: value([1e200]),
  },
  {
    name: "halves of surrogates",
    code: script("return { ['k\\ud800']: 'v\\udfff' };"),
    outcome: value({ "k\ufffd": "v\ufffd" }),
  },
  {
    name: "NUL in keys and values",
    code: script("return { 'a\\0b': '\\0' };"),
    outcome: value({ "a\0b": "\0" }),
  },
  {
    name: "toJSON that answers with itself",
    code: script("const a = { toJSON: () => [a, a] }; return a;"),
    outcome: fails("result.not_serialisable", "memory", "timeout.cpu"),
  },
  {
    name: "toJSON that doubles at each level",
    code: script(
      "const make = (n) => ({ toJSON: () => n === 0 ? 1 : [make(n - 1), make(n - 1)] }); return make(25);",
    ),
    outcome: fails("result.too_large", "memory", "timeout.cpu"),
  },
  {
    name: "toJSON of all prototypes, replaced",
    code: script(`
      Date.prototype.toJSON = () => "date"; Number.prototype.toJSON = () => "number";
      String.prototype.toJSON = function () { return "string"; };
      return [new Date(0), 1, "a"];
    `),
    outcome: value(["date", 1, "a"]),
  },
  {
    name: "a getter that throws",
    code: script("return { get a() { throw new Error('x'); } };"),
    outcome: unwritable,
  },
  {
    name: "a getter that throws what cannot be shown",
    code: script("return { get a() { throw { get message() { throw 1; } }; } };"),
    outcome: unwritable,
  },
  {
    name: "a getter that ends the job in another way meanwhile",
    code: script(
      "return { get a() { setTimeout(() => { throw new Error('late'); }, 0); queueMicrotask(() => { throw new Error('late'); }); return 1; } };",
    ),
    outcome: value({ a: 1 }),
  },
  {
    name: "a proxy that is revoked",
    code: script("const { proxy, revoke } = Proxy.revocable({}, {}); revoke(); return proxy;"),
    outcome: fails("result.not_serialisable", "script.threw"),
  },
  {
    name: "a thenable whose then is called twice",
    code: script(
      "return { then(resolve, reject) { resolve(1); resolve(2); reject(3); throw 4; } };",
    ),
    outcome: value(1),
  },
  {
    name: "a thenable that never answers, and a rejection beside it",
    code: script("Promise.reject(new Error('beside')); return { then() {} };"),
    outcome: failsWith("script.threw", /beside/),
  },
  {
    name: "a promise of a class with a species of its own",
    code: script(`
      class Odd extends Promise { static get [Symbol.species]() { throw new Error("species"); } }
      return new Odd((resolve) => resolve(5));
    `),
    outcome: failsWith("script.threw", /^species$/),
  },
  {
    name: "an async generator",
    code: "export default async function* () { yield 1; }",
    outcome: value({}),
  },
  {
    name: "a default export that is a class",
    code: "export default class { constructor() { this.a = 1; } }",
    outcome: failsWith("script.threw", /^TypeError/),
  },
  {
    name: "a default export that is a proxy of a function",
    code: "export default new Proxy(() => 1, { apply: (target, self, args) => [typeof self, args.length] })",
    outcome: value(["undefined", 2]),
  },
  {
    name: "a default export that is a thenable",
    code: "export default { then: (resolve) => resolve(() => 1) }",
    outcome: fails("script.no_default"),
  },
  {
    name: "an export that is called then",
    code: "export const then = (resolve) => resolve({ default: () => 2 }); export default () => 1",
    outcome: value(1),
  },
  {
    name: "a result after the end of its attempt's time",
    code: script(
      "ctx.signal.addEventListener('abort', () => { for (;;); }); await ctx.sleep(1e9);",
    ),
    timeoutMs: 300,
    outcome: fails("timeout.wall", "timeout.cpu"),
  },
  {
    name: "a result and an error at once",
    code: script("setTimeout(() => { throw new Error('x'); }, 5); await ctx.sleep(5); return 1;"),
    outcome: fails("script.threw"),
  },
  {
    name: "work that goes on after the result",
    code: script(
      "setInterval(() => { for (;;); }, 1); new FinalizationRegistry(() => { for (;;); }).register({}, 1); return 1;",
    ),
    outcome: value(1),
  },
  {
    name: "a loop in a microtask after the result",
    code: script(
      "Promise.resolve().then(() => 0).then(() => 0).then(() => 0).then(() => 0).then(() => { for (;;); }); return 1;",
    ),
    outcome: value(1),
  },
  {
    name: "what code and codes of ours look like",
    code: script(
      "return { op: 'failed', id: 1, code: 'memory', ok: false, reference: true, copy: true };",
    ),
    outcome: value({ op: "failed", id: 1, code: "memory", ok: false, reference: true, copy: true }),
  },
];

import { type Attack, fails, script, type Seen } from "./attack.ts";

const spent = fails("timeout.cpu");
/** Whoever only waits is ended by the clock. */
const waits = (name: string, code: string): Attack => ({
  name,
  code,
  timeoutMs: 300,
  outcome: fails("timeout.wall"),
  also: ({ cpuMs }: Seen) => {
    if (cpuMs > 150) throw new Error(`it used ${cpuMs} ms of CPU`);
  },
});

/** Scripts that do not come to an end by themselves. */
export const cpu: readonly Attack[] = [
  { name: "a loop", code: script("for (;;);"), outcome: spent },
  { name: "a loop at the top level", code: "for (;;); export default () => 1", outcome: spent },
  { name: "a loop after a sleep", code: script("await ctx.sleep(1); for (;;);"), outcome: spent },
  {
    name: "a loop in a timer",
    code: script("setTimeout(() => { for (;;); }, 1); await new Promise(() => {});"),
    outcome: spent,
  },
  { name: "endless awaits", code: script("for (;;) await 0;"), outcome: spent },
  {
    name: "microtasks that make microtasks",
    code: script(
      "const again = () => queueMicrotask(again); again(); await new Promise(() => {});",
    ),
    outcome: spent,
  },
  {
    name: "promises that make promises",
    code: script("const again = () => Promise.resolve().then(again); await again();"),
    outcome: fails("timeout.cpu", "memory"),
  },
  {
    name: "a thenable that always has another",
    code: script("const next = () => ({ then: (take) => take(next()) }); return next();"),
    outcome: spent,
  },
  waits("a promise that never settles", script("await new Promise(() => {});")),
  waits("a top-level await that never ends", "await new Promise(() => {}); export default () => 1"),
  waits("a sleep of 30,000 years", script("await ctx.sleep(1e15);")),
  waits("a sleep of an endless time", script("await ctx.sleep(Infinity);")),
  {
    name: "a regular expression that backtracks",
    code: script("return /^(a+)+$/.test('a'.repeat(40) + '!');"),
    outcome: spent,
  },
  {
    name: "a replacement that backtracks in its callback",
    code: script(
      "return 'x'.repeat(9).replace(/x/g, () => /^(a|aa)+$/.test('a'.repeat(60) + '!'));",
    ),
    outcome: spent,
  },
  {
    name: "a comparator that never answers",
    code: script("return [3, 1, 2].sort(() => { for (;;); });"),
    outcome: spent,
  },
  {
    name: "a comparator that is never content",
    code: script("for (;;) new Float64Array(1e5).sort(() => Math.random() - 0.5);"),
    outcome: spent,
  },
  {
    name: "includes over 2**53 elements that are not there",
    code: script("return [].includes.call({ length: 2 ** 53 - 1 }, 1);"),
    outcome: spent,
  },
  {
    name: "indexOf in a sparse array",
    code: script("const sparse = []; sparse[2 ** 32 - 2] = 1; return sparse.indexOf(2, 1);"),
    outcome: fails("timeout.cpu", "memory"),
  },
  {
    name: "indexOf over 2**53 elements that are not there",
    code: script("return [].indexOf.call({ length: 2 ** 53 - 1 }, 1);"),
    outcome: spent,
  },
  {
    name: "reverse of 2**53 elements that are not there",
    code: script("return [].reverse.call({ length: 2 ** 53 - 1 });"),
    outcome: spent,
  },
  {
    name: "the decimal digits of a number of 2**27 bits",
    code: script("return (1n << (2n ** 27n)).toString();"),
    outcome: fails("timeout.cpu", "memory"),
  },
  {
    name: "the power of a power",
    code: script("let n = 3n; for (;;) n = n ** 3n;"),
    outcome: fails("timeout.cpu", "memory", "script.threw"),
  },
  {
    name: "an error whose message loops",
    code: script("throw { get message() { for (;;); } };"),
    outcome: spent,
  },
  {
    name: "an error whose stack loops, thrown late",
    code: script(`
      setTimeout(() => {
        throw Object.defineProperty(new Error("x"), "stack", { get() { for (;;); } });
      }, 1);
      await new Promise(() => {});
    `),
    outcome: spent,
  },
  {
    name: "a rejection that nobody handles, whose name loops",
    code: script(`
      Promise.reject(Object.defineProperty(new Error("x"), "name", { get() { for (;;); } }));
      await new Promise(() => {});
    `),
    outcome: fails("timeout.cpu", "script.threw"),
  },
  {
    name: "prepareStackTrace that loops",
    code: script("Error.prepareStackTrace = () => { for (;;); }; throw new Error('x');"),
    outcome: spent,
  },
  {
    name: "toJSON that loops",
    code: script("return { toJSON() { for (;;); } };"),
    outcome: spent,
  },
  {
    name: "a getter of the result that loops",
    code: script("return { get a() { for (;;); } };"),
    outcome: spent,
  },
  {
    name: "a proxy with endless keys",
    code: script(`
      const keys = Array.from({ length: 1e5 }, (_, i) => "k" + i);
      const endless = () => new Proxy({}, {
        ownKeys: () => keys,
        getOwnPropertyDescriptor: () => ({ enumerable: true, configurable: true }),
        get: () => endless(),
      });
      return endless();
    `),
    outcome: fails("timeout.cpu", "memory", "result.not_serialisable"),
  },
  {
    name: "a reviver that grows what it revives",
    code: script(`
      return JSON.parse('[[1]]', function (key, value) {
        if (Array.isArray(value)) for (let i = 0; i < 1e3; i++) value.push([value.length]);
        for (let i = 0; i < 1e6; i++);
        return Array.isArray(value) ? JSON.parse('[[1]]', arguments.callee) : value;
      });
    `),
    outcome: fails("timeout.cpu", "memory", "script.threw"),
  },
  {
    name: "a generator that is spread without end",
    code: script("return Math.max(...(function* () { for (;;) yield 1; })());"),
    outcome: fails("timeout.cpu", "memory", "script.threw"),
  },
  {
    name: "an iterator that never finishes, given to Promise.all",
    code: script("return Promise.all((function* () { for (;;) yield 1; })());"),
    outcome: fails("timeout.cpu", "memory"),
  },
  {
    name: "the longest string, searched again and again",
    code: script(
      "const s = 'ab'.repeat(1e6); for (;;) s.lastIndexOf(s + 'c'), s.normalize('NFKD');",
    ),
    outcome: fails("timeout.cpu", "memory"),
  },
  {
    name: "a sandbox that is asked to compare for ever",
    code: script(
      "const c = new Intl.Collator('de', { numeric: true }); const s = '1'.repeat(1e6); for (;;) c.compare(s, s + 1);",
    ),
    outcome: spent,
  },
];

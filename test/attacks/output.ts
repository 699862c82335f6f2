import { type Attack, either, fails, script, type Seen, tries, value } from "./attack.ts";

const FULL = "LOG output limit reached: the rest is dropped";

const rows = (most: number) => (seen: Seen) => {
  if (seen.outputTotal > most) throw new Error(`${seen.outputTotal} rows`);
  for (const row of seen.output) {
    if (Buffer.byteLength(row) > 8_192 + 10) throw new Error(`a row of ${row.length} characters`);
  }
};

const shows =
  (...expected: string[]) =>
  (seen: Seen) => {
    if (JSON.stringify(seen.output) === JSON.stringify(expected)) return;
    throw new Error(`it wrote ${JSON.stringify(seen.output)}`);
  };

/** What a script writes and reports, and how often it asks the host for something. */
export const output: readonly Attack[] = [
  {
    name: "a million rows",
    code: script("for (let i = 0; i < 1e6; i++) console.log('row', i); return 1;"),
    outcome: either(1, "timeout.cpu"),
    also: rows(2_001),
  },
  {
    name: "50,000 rows",
    code: script("for (let i = 0; i < 5e4; i++) ctx.output('row'); return 1;"),
    outcome: value(1),
    also: (seen) => {
      if (seen.outputTotal !== 2_001) throw new Error(`${seen.outputTotal} rows`);
    },
  },
  {
    name: "a row of 100 MB",
    code: script("console.log('x'.repeat(1e8)); return 1;"),
    outcome: either(1, "memory", "timeout.cpu", "runner.crashed"),
    also: rows(1),
  },
  {
    name: "a row of 5 MB",
    code: script("console.log('x'.repeat(5e6)); return 1;"),
    outcome: value(1),
    also: (seen) => {
      rows(1)(seen);
      if (seen.output[0]?.length !== "STDOUT ".length + 8_192) throw new Error("it is shorter");
    },
  },
  {
    name: "rows of 300 KB in three bytes each",
    code: script("for (let i = 0; i < 100; i++) ctx.log('\\u20ac'.repeat(1e5)); return 1;"),
    outcome: value(1),
    also: (seen) => {
      rows(40)(seen);
      if (seen.output.at(-1) !== FULL) throw new Error("nothing says that there is more");
    },
  },
  {
    name: "a million line ends",
    code: script("ctx.output('\\n'.repeat(1e6)); return 1;"),
    outcome: value(1),
    also: rows(2_001),
  },
  {
    name: "NUL, halves of surrogates, and sequences of a terminal",
    code: script(
      "ctx.output('a\\0b'); ctx.output('\\ud800c'); ctx.output('\\x1b[2Jd\\x07'); return 1;",
    ),
    outcome: value(1),
    also: shows("STDOUT a\0b", "STDOUT \ufffdc", "STDOUT \u001b[2Jd\u0007"),
  },
  {
    name: "a surrogate pair at the cut",
    code: script("ctx.output('a' + '\\u{1f600}'.repeat(4_000)); return 1;"),
    outcome: value(1),
    also: (seen) => {
      rows(1)(seen);
      if (seen.output[0]?.includes("\ufffd") === true) throw new Error("it was cut in two");
    },
  },
  {
    name: "a getter that logs what is being logged",
    code: script("const a = { get b() { console.log(a); return 1; } }; console.log(a); return 1;"),
    outcome: fails("script.threw", "timeout.cpu"),
    also: rows(2_001),
  },
  {
    name: "values that throw when they are shown",
    code: tries([
      "console.log({ get a() { throw new RangeError('x'); } })",
      "console.log(new Proxy({}, { ownKeys() { throw new RangeError('x'); } }))",
      "ctx.log({ toString() { throw new RangeError('x'); } }) ?? 1",
      "ctx.output({ [Symbol.toPrimitive]() { throw new RangeError('x'); } })",
      "console.count({ toString() { throw new RangeError('x'); } })",
      "console.log('%s', Symbol('s'), Object.create(null)) ?? 2",
    ]),
    outcome: value(["RangeError", "RangeError", 1, "RangeError", "RangeError", 2]),
  },
  {
    name: "a deep and wide tree",
    code: script(`
      const make = (n) => n === 0 ? "leaf" : Array.from({ length: 50 }, () => make(n - 1));
      console.log(make(3)); return 1;
    `),
    outcome: value(1),
    also: rows(1),
  },
  {
    name: "ten thousand directives of a format",
    code: script(
      "console.log('%o'.repeat(1e4), ...Array.from({ length: 1e4 }, () => ({ a: 'x'.repeat(100) }))); return 1;",
    ),
    outcome: either(1, "timeout.cpu", "memory"),
    also: rows(1),
  },
  {
    name: "progress a million times",
    code: script(
      "for (let i = 0; i <= 1e5; i++) ctx.progress({ fraction: i / 1e5, message: 'm' + i }); return 1;",
    ),
    outcome: value(1),
    also: (seen) => {
      if (seen.fraction !== 1 || seen.progressMessage !== "m100000") {
        throw new Error(`it ended at ${seen.fraction} ${seen.progressMessage}`);
      }
    },
  },
  {
    name: "progress that is none",
    code: tries([
      "ctx.progress(NaN)",
      "ctx.progress(Infinity)",
      "ctx.progress('1')",
      "ctx.progress({ fraction: 1n })",
      "ctx.progress({ done: 1, total: NaN })",
      "ctx.progress({ message: Symbol('s') }) ?? 'taken'",
      "ctx.progress({ get message() { throw new RangeError('x'); } })",
      "ctx.progress({ message: { toString: null, valueOf: null } })",
    ]),
    outcome: value([
      "TypeError",
      "TypeError",
      "TypeError",
      "TypeError",
      "TypeError",
      "taken",
      "RangeError",
      "TypeError",
    ]),
  },
  {
    name: "progress beyond all bounds",
    code: script(
      "ctx.progress({ fraction: 1e308, step: 1e308, steps: -1e308, message: '\\ud800\\0' + 'x'.repeat(1e6) }); ctx.progress(-5); return 1;",
    ),
    outcome: value(1),
    also: (seen) => {
      if (seen.fraction !== 1) throw new Error(`it ended at ${seen.fraction}`);
      if (seen.progressMessage.length > 500) throw new Error("the message is not cut");
    },
  },
  {
    name: "20,000 calls to the host in one turn",
    code: script(`
      const names = Array.from({ length: 2e4 }, (_, i) => ctx.step("s" + i, () => 1).catch((error) => error));
      const all = await Promise.all(names);
      throw all.find((one) => one instanceof Error);
    `),
    outcome: fails("quota.host_calls", "quota.steps", "timeout.cpu", "runner.crashed"),
  },
  {
    name: "1,200 steps",
    code: script(
      "for (let i = 0; i < 3; i++) await Promise.all(Array.from({ length: 400 }, (_, n) => ctx.step('s' + i + '.' + n, () => n)));",
    ),
    outcome: fails("quota.steps", "timeout.cpu"),
  },
  {
    name: "names of steps that are odd",
    code: tries([
      "ctx.step('__proto__', () => 1)",
      "ctx.step('constructor', () => 2)",
      "ctx.step('\\ud800', () => 3)",
      "ctx.step('a\\0b', () => 4)",
      "ctx.step('x'.repeat(1e6), () => 5)",
      "ctx.step({ toString: () => 'x' }, () => 6)",
      "ctx.step('no function', 7)",
      "ctx.step('then', () => ({ then: (take) => take(8) }))",
    ]),
    outcome: value([1, 2, "Error", 4, "Error", "TypeError", "TypeError", 8]),
  },
  {
    name: "results of steps that are odd",
    code: tries([
      "ctx.step('large', () => 'x'.repeat(3e5))",
      "ctx.step('circle', () => { const a = {}; a.a = a; return a; })",
      "ctx.step('throws', () => { throw new RangeError('x'); })",
      "ctx.step('own proto', () => JSON.parse('{\"__proto__\":1}')).then((one) => Object.keys(one))",
      "ctx.step('outer', () => ctx.step('inner', () => 1))",
      "ctx.step('outer', () => 2)",
    ]),
    outcome: value(["Error", "Error", "RangeError", ["__proto__"], 1, "Error"]),
  },
  {
    name: "a step that never ends",
    code: script("await ctx.step('a', () => new Promise(() => {}));"),
    timeoutMs: 300,
    outcome: fails("timeout.wall"),
  },
  {
    name: "2,000 timers",
    code: script("for (let i = 0; i < 2e3; i++) setTimeout(() => {}, 1e6);"),
    outcome: fails("quota.timers"),
  },
  {
    name: "2,000 sleeps",
    code: script("await Promise.all(Array.from({ length: 2e3 }, () => ctx.sleep(1e6)));"),
    outcome: fails("quota.timers"),
  },
  {
    name: "delays that are none",
    code: tries([
      "new Promise((done) => setTimeout(done, NaN, 'a'))",
      "new Promise((done) => setTimeout(done, -1e308, 'b'))",
      "new Promise((done) => setTimeout(done, '1', 'c'))",
      "new Promise((done) => setTimeout(done, 2 ** 40, 'd'))",
      "ctx.sleep(NaN).then(() => 'e')",
      "ctx.sleep({ valueOf() { throw new RangeError('x'); } })",
      "setTimeout('globalThis.left = 1', 0)",
      "clearTimeout({}) ?? clearTimeout(-1) ?? clearInterval('x') ?? 'f'",
    ]),
    outcome: value(["a", "b", "c", "d", "e", "RangeError", "TypeError", "f"]),
  },
  {
    name: "an interval that is due all the time",
    code: script("setInterval(() => {}, 0); await new Promise(() => {});"),
    timeoutMs: 400,
    outcome: fails("timeout.wall", "timeout.cpu"),
  },
];

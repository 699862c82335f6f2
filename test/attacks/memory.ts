import { type Attack, fails, script, value } from "./attack.ts";

/** Whichever limit comes first: allocating costs CPU time, too. */
const stopped = fails("memory", "timeout.cpu");

/** Scripts that want more memory than they may have, inside V8's heap and beside it. */
export const memory: readonly Attack[] = [
  {
    name: "an array that grows",
    code: script("const all = []; for (;;) all.push({ a: all.length, b: [1, 2, 3] });"),
    outcome: stopped,
  },
  {
    name: "an array that grows after an await",
    code: script("await 0; const all = []; for (;;) all.push({ a: all.length, b: [1, 2, 3] });"),
    outcome: stopped,
  },
  {
    name: "flat strings that are kept",
    code: script(
      "const all = []; for (let i = 0; ; i++) all.push(('x' + i).repeat(1e5).split('').join('-'));",
    ),
    outcome: stopped,
  },
  {
    name: "a Map that grows",
    code: script("const m = new Map(); for (let i = 0; ; i++) m.set('k' + i, [i]);"),
    outcome: stopped,
  },
  {
    name: "a Set that grows",
    code: script("const s = new Set(); for (let i = 0; ; i++) s.add('k' + i);"),
    outcome: stopped,
  },
  {
    name: "closures that are kept",
    code: script(
      "const all = []; for (;;) { const held = new Array(1000).fill(all.length); all.push(() => held); }",
    ),
    outcome: stopped,
  },
  {
    name: "promises that wait",
    code: script("const all = []; for (;;) all.push(new Promise(() => {}).then(() => all));"),
    outcome: stopped,
  },
  {
    name: "a string of 2**29 characters, split",
    code: script("return 'x'.repeat(2 ** 29 - 25).split('').length;"),
    outcome: fails("memory", "runner.crashed", "timeout.cpu"),
  },
  {
    name: "ropes that are flattened",
    code: script(
      "let s = 'ab'; const all = []; for (;;) { s = s.length < 1e7 ? s + s : 'ab'; all.push(s); s.charCodeAt(7); }",
    ),
    outcome: stopped,
  },
  {
    name: "an array of 2e8 elements, filled",
    code: script("return new Array(2e8).fill(0).length;"),
    outcome: fails("memory", "timeout.cpu", "runner.crashed"),
  },
  {
    name: "an array from a length of 1e9",
    code: script("return Array.from({ length: 1e9 }).length;"),
    outcome: fails("memory", "timeout.cpu", "runner.crashed"),
  },
  {
    name: "a buffer of 1 GB that is resized",
    code: script(`
      const buffer = new ArrayBuffer(0, { maxByteLength: 1e9 });
      buffer.resize(1e9);
      return new Uint8Array(buffer).fill(1).length;
    `),
    outcome: fails("memory", "timeout.cpu", "script.threw"),
  },
  {
    name: "typed arrays that are kept",
    code: script("const all = []; for (;;) all.push(new Uint8Array(1e6).fill(1));"),
    outcome: fails("memory", "timeout.cpu", "script.threw"),
  },
  {
    name: "buffers that are transferred to grow",
    code: script(
      "let b = new ArrayBuffer(8); for (;;) { b = b.transfer(b.byteLength * 2); new Uint8Array(b).fill(1); }",
    ),
    outcome: fails("memory", "timeout.cpu", "script.threw"),
  },
  {
    name: "shared memory that grows: there is none",
    code: script(
      "return [typeof SharedArrayBuffer, typeof Atomics, typeof WebAssembly, typeof new ArrayBuffer(8).grow];",
    ),
    outcome: value(["undefined", "undefined", "undefined", "undefined"]),
  },
  {
    name: "formats of dates",
    code: script("const all = []; for (;;) all.push(new Intl.DateTimeFormat('de'));"),
    outcome: stopped,
  },
  {
    name: "collators and segmenters of every language",
    code: script(
      "const all = []; for (let i = 0; ; i++) all.push(new Intl.Collator(['de', 'ja', 'ar'][i % 3]), new Intl.Segmenter('th'));",
    ),
    outcome: stopped,
  },
  {
    name: "dates of Temporal in every calendar",
    code: script(
      "const all = []; for (let i = 0; ; i++) all.push(Temporal.PlainDate.from('2026-01-01[u-ca=hebrew]').add({ days: i % 1e5 }));",
    ),
    outcome: stopped,
  },
  {
    name: "regular expressions, each of them new",
    code: script(
      "const all = []; for (let i = 0; ; i++) { const r = new RegExp('(a|b){1,' + (i % 500 + 1) + '}' + i); r.test('x'); all.push(r); }",
    ),
    outcome: stopped,
  },
  {
    name: "numbers of 2**24 bits that are kept",
    code: script("const all = []; for (let i = 0n; ; i++) all.push((1n << (2n ** 24n)) + i);"),
    outcome: stopped,
  },
  {
    name: "symbols that are registered",
    code: script("for (let i = 0; ; i++) Symbol.for('symbol of my own ' + i);"),
    outcome: stopped,
  },
  {
    name: "arguments without end",
    code: script("return String.fromCharCode.apply(null, new Array(5e7)).length;"),
    outcome: fails("script.threw", "memory", "timeout.cpu", "runner.crashed"),
  },
  {
    name: "a join that is too long",
    code: script("return new Array(2 ** 28).join('abc').length;"),
    outcome: fails("script.threw", "memory", "timeout.cpu", "runner.crashed"),
  },
  {
    name: "a padding that is too long, in all pieces",
    code: script("const all = []; for (;;) all.push('x'.padEnd(2 ** 24, 'y' + all.length));"),
    outcome: stopped,
  },
];

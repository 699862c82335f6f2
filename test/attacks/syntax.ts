import { type Attack, fails, failsWith, refused, script, type Seen, value } from "./attack.ts";

const TYPESCRIPT = "TYPESCRIPT" as const;
const wrong = refused(/has a syntax error/);
/** The parser of the service is content, V8 is not. */
const late = fails("script.syntax");
const tooDeep = refused(/source.*(too deeply|ms of processor time)/);

const tells = (place: string) => (seen: Seen) => {
  if (!seen.stack.includes(place)) throw new Error(`the stack is ${seen.stack}`);
};

/** Texts that mean to break out of their module, or to break whoever parses them. */
export const syntax: readonly Attack[] = [
  {
    name: "a brace too many",
    code: "export default () => { }} globalThis.left = 1; {",
    outcome: wrong,
  },
  {
    name: "the end of a comment that nobody began",
    code: "export default () => 1 */",
    outcome: wrong,
  },
  { name: "a parenthesis too many", code: "}); export default (() => 1", outcome: wrong },
  {
    name: "a hashbang",
    code: "#!/usr/bin/env node\nexport default () => 1",
    outcome: value(1),
  },
  { name: "a byte order mark", code: "\ufeffexport default () => 1", outcome: value(1) },
  {
    name: "a hashbang behind a byte order mark",
    code: "\ufeff#!/bin/sh\nexport default () => 1",
    outcome: late,
  },
  { name: "NUL in the text", code: "export default () => '\0'.length", outcome: value(1) },
  {
    name: "comments of HTML",
    code: "<!-- a comment\nexport default () => 1",
    outcome: wrong,
  },
  {
    name: "the line ends of Unicode",
    code: "// a comment\u2028export default () => 1",
    outcome: value(1),
  },
  {
    name: "half of a surrogate",
    code: "export default () => '\ud800'.length",
    // The wire has no such thing: what arrives is the replacement character.
    outcome: value(1),
  },
  { name: "two defaults", code: "export default 1; export default 2", outcome: late },
  { name: "a with statement", code: script("with (ctx) { log(1); }"), outcome: wrong },
  { name: "await as a name", code: "const await = 1; export default () => 1", outcome: late },
  {
    name: "a regular expression that is none",
    code: "export default () => /(/",
    outcome: late,
  },
  {
    name: "an enum",
    code: "enum Colour { Red } export default () => Colour.Red",
    language: TYPESCRIPT,
    outcome: wrong,
  },
  {
    name: "a namespace",
    code: "namespace A { export const b = 1 } export default () => A.b",
    language: TYPESCRIPT,
    outcome: wrong,
  },
  {
    name: "a parameter property",
    code: "class A { constructor(readonly a: number) {} } export default () => new A(1)",
    language: TYPESCRIPT,
    outcome: wrong,
  },
  {
    name: "a decorator",
    code: "const d = (c: unknown) => c; @d class A {} export default () => new A()",
    language: TYPESCRIPT,
    outcome: late,
  },
  {
    name: "an error behind types, with the author's own line and column",
    code: 'type A = {\n  a: number;\n};\nexport default (a: A): never => {\n  throw new Error("here");\n}',
    language: TYPESCRIPT,
    outcome: failsWith("script.threw", /here/),
    also: tells("script.ts:5:9"),
  },
  {
    name: "a name for the text that is a path",
    code: 'export default () => { throw new Error("here"); }\n//# sourceURL=/etc/passwd',
    outcome: fails("script.threw"),
  },
  {
    name: "a source map that is a file",
    code: 'export default () => { throw new Error("here"); }\n//# sourceMappingURL=file:///etc/passwd',
    outcome: fails("script.threw"),
    also: tells("script.js:1:"),
  },
  {
    name: "2,000 levels of arrays",
    code: `export default () => ${"[".repeat(2e3)}${"]".repeat(2e3)}.length`,
    outcome: refused(/./),
  },
  {
    name: "60,000 levels of parentheses",
    code: `export default () => ${"(".repeat(6e4)}1${")".repeat(6e4)}`,
    outcome: tooDeep,
  },
  {
    name: "1,500 levels of types",
    code: `let a: ${"Array<".repeat(1_500)}1${">".repeat(1_500)}; export default () => 1`,
    language: TYPESCRIPT,
    outcome: tooDeep,
  },
  {
    name: "10,000 levels of templates",
    code: `export default () => ${"`${".repeat(1e4)}1${"}`".repeat(1e4)}`,
    outcome: tooDeep,
  },
  {
    name: "a text that takes the parser twice as long with each of 40 levels",
    code: `export default () => ${"<T>(".repeat(40)}1${")".repeat(40)}`,
    language: TYPESCRIPT,
    outcome: tooDeep,
  },
  {
    name: "a text of 257 KiB",
    code: `export default () => 1 // ${"x".repeat(257 * 1_024)}`,
    outcome: refused(/at most 262144 bytes/),
  },
  {
    name: "a text of 256 KiB that is one expression",
    code: `export default () => [${"1,".repeat(130_000)}].length`,
    outcome: value(130_000),
  },
  {
    name: "an input of 31 levels",
    code: script("return input;"),
    input: JSON.parse("[".repeat(31) + "]".repeat(31)) as unknown,
    outcome: refused(/nested at most 30 levels/),
  },
];

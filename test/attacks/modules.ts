import { type Attack, fails, script, value } from "./attack.ts";

const refused = fails("module.not_allowed");

const imports = (specifier: string, rest = ""): Attack => ({
  name: `an import of ${specifier.slice(0, 60)}${rest}`,
  code: `import * as got from ${JSON.stringify(specifier)}${rest}; export default () => typeof got`,
  outcome: refused,
});

/** Ways to code that is not the script's own. */
export const modules: readonly Attack[] = [
  ...[
    "fs",
    "node:fs",
    "node:child_process",
    "isolated-vm",
    "data:text/javascript,export default 1",
    "file:/etc/passwd",
    "http://127.0.0.1/x.js",
    "/etc/passwd",
    "../../runner/main.ts",
    "millrace:start",
    "millrace:script",
    "__proto__",
    "constructor",
    "toString",
    "script:../a",
    "script:__proto__@-1",
    "",
  ].map((specifier) => imports(specifier)),
  imports("/etc/passwd", ' with { type: "json" }'),
  imports("x".repeat(200_000)),
  {
    name: "an import of another organization's script",
    code: 'import { a } from "script:of.somebody.else"; export default () => a',
    outcome: fails("module.not_found"),
  },
  {
    name: "ten thousand imports",
    code: `${Array.from({ length: 10_000 }, (_, i) => `import "script:m${i}";`).join("")} export default () => 1`,
    outcome: fails("module.not_allowed", "module.not_found", "quota.modules", "quota.host_calls"),
  },
  {
    name: "import() of whatever there may be",
    code: script(`
      const came = [];
      const names = ["fs", "node:fs", "data:text/javascript,1", "file:///etc/passwd", "http://127.0.0.1/", "millrace:start",
        "__proto__", "", "x".repeat(1e5), { toString() { throw new RangeError("mine"); } }, Symbol("s")];
      for (const name of names) {
        try { await import(name); came.push("imported"); } catch (error) { came.push(error instanceof Error); }
      }
      return [...new Set(came)];
    `),
    outcome: value([true]),
  },
  {
    name: "import() that nobody waits for",
    code: script("import('node:fs'); await ctx.sleep(30); return 1;"),
    outcome: fails("module.not_allowed"),
  },
  {
    name: "import.meta",
    code: script(
      "return [Reflect.ownKeys(import.meta), Object.getPrototypeOf(import.meta), typeof import.meta.url];",
    ),
    outcome: value([[], null, "undefined"]),
  },
];

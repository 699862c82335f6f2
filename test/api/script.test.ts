import { describe, expect, it } from "vitest";

import { compileScript as compile, hashScript } from "../../src/catalog/script/compile.ts";

describe("a script at its submission", () => {
  it("loses its types, and every line and column stays where it was", () => {
    const source =
      "interface In { n: number }\nexport default (input: In): number =>\n  input.n + 1;";
    const compiled = compile(source, "TYPESCRIPT");
    expect(compiled.ok).toBe(true);
    const code = compiled.ok ? compiled.code : "";
    expect(code).not.toContain("interface");
    expect(code.split("\n").map((line) => line.length)).toEqual(
      source.split("\n").map((line) => line.length),
    );
    expect(code.indexOf("input.n")).toBe(source.indexOf("input.n"));
  });

  it("in JavaScript is handed on as it was written", () => {
    const source = "export default (a, b, c) => a<b>(c)";
    expect(compile(source, "JAVASCRIPT")).toMatchObject({ ok: true, code: source });
  });

  it.each(["JAVASCRIPT", "TYPESCRIPT"] as const)(
    "with a syntax error in %s tells the place",
    (language) => {
      expect(
        compile("const ok = 1;\nconst bad = = 2;\nexport default ok;", language),
      ).toMatchObject({
        ok: false,
        fault: { line: 2, column: 13 },
      });
    },
  );

  it("with TypeScript that is more than types is refused with its place", () => {
    expect(compile("const a = 1;\n\n  enum X { A }\nexport default a", "TYPESCRIPT")).toMatchObject(
      {
        ok: false,
        fault: {
          message: expect.stringMatching(/enum is not available: types are taken away/),
          line: 3,
          column: 3,
        },
      },
    );
  });

  it("is never run", () => {
    const compiled = compile("globalThis.wasRun = true; export default 1", "JAVASCRIPT");
    expect(compiled.ok).toBe(true);
    expect(globalThis).not.toHaveProperty("wasRun");
  });

  it("is the same script only with the same text in the same language", () => {
    const hash = hashScript("export default 1", "JAVASCRIPT");
    expect(hash).toMatch(/^[0-9a-f]{64}$/);
    expect(hashScript("export default 1", "JAVASCRIPT")).toBe(hash);
    expect(hashScript("export default 1", "TYPESCRIPT")).not.toBe(hash);
    expect(hashScript("export default 2", "JAVASCRIPT")).not.toBe(hash);
  });
});

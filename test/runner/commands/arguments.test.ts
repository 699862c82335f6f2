import { describe, expect, it } from "vitest";

import { argumentsOf } from "../../../runner/commands/arguments.ts";
import { parseTemplate, TemplateFault } from "../../../runner/commands/template.ts";

const map = (
  argv: readonly (string | readonly string[])[],
  values: Readonly<Record<string, unknown>>,
  mayDash: readonly string[] = [],
): readonly string[] | string => {
  const options = { values: new Map(Object.entries(values)), mayDash: new Set(mayDash) };
  const made = argumentsOf(parseTemplate(argv), options);
  return made.ok
    ? made.args
    : made.faults.map((one) => `${one.path} ${one.description}`).join("\n");
};

describe("the arguments of a command", () => {
  it("hold the values where the template names them, as one argument each whatever is in them", () => {
    const nasty = `a b'"; $(rm -rf /) \`x\` | > \n *`;
    expect(
      map(["in={file}", "{file}", "{size}x{size}", "{deep}"], {
        file: nasty,
        size: 12,
        deep: true,
      }),
    ).toEqual([`in=${nasty}`, nasty, "12x12", "true"]);
  });

  it("hold braces that are written twice, and do not read those of a value", () => {
    expect(map(["{{size}}", "{file}"], { file: "{size}", size: 1 })).toEqual(["{size}", "{size}"]);
  });

  it("come as many as an array has items", () => {
    expect(map(["--", "{files...}", "end"], { files: ["a", "-b", 3] })).toEqual([
      "--",
      "a",
      "-b",
      "3",
      "end",
    ]);
  });

  it("are left out with what is missing of them, a list as a whole", () => {
    const template = ["-q", ["--size", "{size?}"], "--name={name?}", ["--all", "{files...}"]];
    expect(map(template, {})).toEqual(["-q"]);
    expect(map(template, { files: [] })).toEqual(["-q"]);
    expect(map(template, { size: 3, name: "n", files: ["a"] })).toEqual([
      "-q",
      "--size",
      "3",
      "--name=n",
      "--all",
      "a",
    ]);
  });

  it("cannot become options by their values", () => {
    const refused = "/file must not begin with a dash: it would be an option.";
    expect(map(["{file}"], { file: "--exec=evil" })).toBe(refused);
    expect(map(["{empty}{file}"], { empty: "", file: "-x" })).toBe(refused);
    expect(map(["{file}", "--"], { file: "-x" })).toBe(refused);
    expect(map([["-o", "{file?}"]], { file: "-x" })).toBe(refused);
    expect(map(["{count}"], { count: -1 })).toContain("/count must not begin with a dash");
    expect(map(["{files...}"], { files: ["a", "-b"] })).toContain("/files/1 must not begin");
    expect(map(["--", "{file}"], { file: "-x" })).toEqual(["--", "-x"]);
    expect(map(["--out={file}"], { file: "-x" })).toEqual(["--out=-x"]);
    expect(map(["{count}"], { count: -1 }, ["count"])).toEqual(["-1"]);
  });

  it("take neither NUL, nor half a character, nor what is no text", () => {
    expect(map(["{a}"], { a: "x\0y" })).toBe("/a must not hold a NUL.");
    expect(map(["{a}"], { a: "\ud800" })).toBe("/a must be Unicode text.");
    expect(map(["{a}"], { a: { b: 1 } })).toContain("/a must be a text, a number");
    expect(map(["{a}"], { a: ["b"] })).toContain("/a must be a text, a number");
    expect(map(["{a}"], { a: null })).toContain("/a must be a text, a number");
    expect(map(["{a...}"], { a: "b" })).toBe("/a must be an array.");
    expect(map(["{a...}"], { a: ["b", ["c"]] })).toContain("/a/1 must be a text");
  });

  it("are limited, each and together", () => {
    expect(map(["{a}"], { a: "x".repeat(131_071) })).toHaveLength(1);
    expect(map(["{a}"], { a: "x".repeat(131_072) })).toContain("at most 131071 are allowed");
    const many = Array.from({ length: 10 }, () => "x".repeat(110_000));
    expect(map(["{a...}"], { a: many })).toContain("at most 1048576 are allowed");
    expect(map(["{a...}"], { a: Array.from({ length: 10_001 }, () => "") })).toContain(
      "makes 10001 arguments; at most 10000",
    );
  });
});

describe("a template", () => {
  it.each([
    ["{a"],
    ["a}"],
    ["{}"],
    ["{a b}"],
    ["{$a}"],
    ["x{a...}"],
    ["{a...}{b...}"],
    ["{job.id...}"],
  ])("that holds %s is refused with the argument", (text) => {
    expect(() => parseTemplate([text])).toThrow(TemplateFault);
    expect(() => parseTemplate([text])).toThrow(JSON.stringify(text));
  });
});

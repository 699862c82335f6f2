import { afterAll, describe, expect, it } from "vitest";

import { createSchemaChecker } from "../../src/catalog/schema/checker.ts";
import { Turns } from "../../src/catalog/thread/turns.ts";
import type { OrganizationId } from "../../src/jobs/ids.ts";
import { systemClock } from "../../src/runtime/clock.ts";

const checker = createSchemaChecker(systemClock);
afterAll(async () => {
  await checker.stop();
});

const ACME = "acme" as OrganizationId;
const check = async (schema: object) => await checker.check(ACME, JSON.stringify(schema));
const validate = async (schema: object, ...inputs: unknown[]) => {
  const texts = inputs.map((input) => ({ text: JSON.stringify(input), open: [] }));
  return await checker.validate(ACME, JSON.stringify(schema), texts);
};
const EXPENSIVE = /more than 500 ms of processor time/;

describe("a schema", () => {
  it.each<[string, object, RegExp]>([
    ["of an unknown keyword", { propertes: {} }, /unknown keyword/],
    ["of an unknown format", { type: "string", format: "colour" }, /unknown format "colour"/],
    ["of another draft", { $schema: "http://json-schema.org/draft-07/schema#" }, /2020-12/],
    ["that refers to elsewhere", { $ref: "https://example.org/x.json" }, /nothing is fetched/],
    ["that refers to itself", { $ref: "#" }, /without end/],
    [
      "that refers to itself at a distance",
      { $dynamicAnchor: "n", $dynamicRef: "#n" },
      /without end/,
    ],
    ["with a pattern that is none", { type: "string", pattern: "(" }, /regular expression/i],
    ["that would make answers promises", { $async: true }, /\$async/],
    ["whose default is ignored", { anyOf: [{ properties: { a: { default: 1 } } }] }, /default/],
  ])("%s is refused", async (_what, schema, description) => {
    const faults = await check(schema);
    expect(faults[0]?.description).toMatch(description);
  });

  it("is an object of JavaScript to nobody: names are names", async () => {
    const names = [
      "'];process.exit(1);//",
      "`${process.exit(1)}`",
      "\u2028*/process.exit(1)",
      "__proto__",
    ];
    const schema = {
      type: "object",
      title: "*/ process.exit(1) /*",
      properties: Object.fromEntries(names.map((name) => [name, { const: name }])),
      required: [...names.slice(0, 3), "toString"],
    };
    expect(await check(schema)).toEqual([]);
    const [outcome] = await validate(schema, {});
    // Not satisfied by what every object inherits.
    expect(outcome).toMatchObject({ ok: false });
    expect(outcome?.ok === false && outcome.faults.map(({ path }) => path)).toContain("/toString");
  });

  it("of one organization does not answer for another's", async () => {
    const theirs = { $id: "https://example.org/a", $defs: { x: { $id: "secret", const: 1 } } };
    expect(await check(theirs)).toEqual([]);
    expect(await check({ $ref: "https://example.org/secret" })).toMatchObject([
      { description: expect.stringContaining("nothing is fetched") },
    ]);
  });

  it("that doubles itself thirty times is given up, not compiled for ever", async () => {
    const pair = (n: number) => ({ allOf: [{ $ref: `#/$defs/d${n}` }, { $ref: `#/$defs/d${n}` }] });
    const $defs = Object.fromEntries(Array.from({ length: 30 }, (_, n) => [`d${n}`, pair(n + 1)]));
    const faults = await check({ $defs: { ...$defs, d30: { not: false } }, $ref: "#/$defs/d0" });
    expect(faults[0]?.description).toMatch(EXPENSIVE);
  });
});

describe("an input", () => {
  it("that a pattern takes for ever to judge is refused, and only it", async () => {
    const schema = { type: "string", pattern: "^(a+)+$" };
    expect(await check(schema)).toEqual([]);
    let beats = 0;
    const beating = setInterval(() => {
      beats += 1;
    }, 10);
    const judged = await validate(schema, "aa", `${"a".repeat(50)}!`, "aaa");
    clearInterval(beating);
    expect(judged.map(({ ok }) => ok)).toEqual([true, false, true]);
    // The thread of the server went on meanwhile.
    expect(beats).toBeGreaterThan(20);
  });

  it("that would grow without bounds by its defaults is refused", async () => {
    const filling = { type: "object", properties: { x: { default: "y".repeat(100_000) } } };
    const [outcome] = await validate(
      { type: "array", items: filling },
      Array.from({ length: 10_000 }, () => ({})),
    );
    expect(outcome).toMatchObject({
      ok: false,
      faults: [{ description: expect.stringMatching(/^must have at most 1048576 bytes/) }],
    });
  });

  it("has at most fifty faults told, each at its place", async () => {
    const schema = { type: "array", items: { type: "integer" } };
    const [outcome] = await validate(schema, Array(1_000).fill("x"));
    expect(outcome?.ok === false && outcome.faults).toHaveLength(50);
    expect(outcome).toMatchObject({
      faults: { 7: { path: "/7", description: 'must be integer; it is "x".' } },
    });
  });

  it("is left as it came where the schema has no defaults, and filled in where it has", async () => {
    const properties = { a: { default: 1 }, b: { default: { c: [] } } };
    expect(await validate({ type: "object", properties }, { a: null }, {}, 3)).toEqual([
      { ok: true, filled: '{"a":null,"b":{"c":[]}}' },
      { ok: true, filled: '{"a":1,"b":{"c":[]}}' },
      { ok: false, faults: [{ path: "", description: "must be object; it is 3." }] },
    ]);
    expect(await validate({ type: "object" }, {})).toEqual([{ ok: true, filled: null }]);
  });
});

describe("an input with places that are open", () => {
  const fits = async (schema: object, input: unknown, ...open: string[]) => {
    const checkable = { text: JSON.stringify(input), open };
    const [outcome] = await checker.validate(ACME, JSON.stringify(schema), [checkable]);
    return outcome?.ok === false ? outcome.faults.map(({ path }) => path) : [];
  };
  const text = { type: "string" };
  const closed = { properties: { a: text, b: text }, additionalProperties: false };

  it.each<[string, object, unknown, string[]]>([
    ["a value of any kind at it", { properties: { a: text } }, { a: null }, []],
    ["what has to be there and is", { required: ["a"] }, { a: null }, []],
    ["what has to be there and is not", { required: ["a", "b"] }, { a: null }, ["/b"]],
    ["a place that is not known", closed, { a: null, c: 1 }, ["/c"]],
    ["a place that takes nothing", { properties: { a: false } }, { a: null }, ["/a"]],
    ["a part that is no array", { items: text, type: "array" }, { a: null }, [""]],
    ["another part that does not fit", closed, { a: null, b: 1 }, ["/b"]],
    ["too many parts", { maxProperties: 1 }, { a: null, b: 1 }, [""]],
  ])("is told of %s", async (_what, schema, input, faults) => {
    expect(await fits(schema, input, "/a")).toEqual(faults);
  });

  it("is refused at a place that is not known, and at one inside it", async () => {
    expect(await fits(closed, { c: null }, "/c")).toEqual(["/c"]);
    const inside = { properties: { o: closed } };
    expect(await fits(inside, { o: { a: 1, c: 1 } }, "/o/c")).toEqual(["/o/c", "/o/a"]);
  });

  it.each<[string, object]>([
    ["anyOf", { anyOf: [{ properties: { a: text, b: text } }, { required: ["z"] }] }],
    ["oneOf", { oneOf: [{ properties: { a: text } }, { properties: { a: false } }] }],
    ["not", { not: { properties: { a: { type: "null" } } } }],
    ["if", { if: { properties: { a: text } }, else: { required: ["z"] } }],
    ["const", { const: { a: "x", b: 1 } }],
    ["a reference to anyOf", { $ref: "#/$defs/x", $defs: { x: { anyOf: [false, false] } } }],
    ["unevaluated", { anyOf: [{ required: ["z"] }, {}], unevaluatedProperties: false }],
  ])("leaves to the end what %s says around it", async (_keyword, schema) => {
    expect(await fits(schema, { a: null, b: 1 }, "/a")).toEqual([]);
    expect(await fits(schema, { a: null, b: 1 })).not.toEqual([]);
  });
});

describe("those who wait for the thread", () => {
  it("take turns: who asks much waits for himself", () => {
    const turns = new Turns<string>();
    for (const n of [1, 2, 3]) turns.add("busy", `busy ${n}`);
    turns.add("calm", "calm 1");
    const order = Array.from({ length: 5 }, () => turns.take());
    expect(order).toEqual(["busy 1", "calm 1", "busy 2", "busy 3", undefined]);
  });
});

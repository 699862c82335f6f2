import { describe, expect, test } from "vitest";

import { isPointer, pointerTo, valueAt } from "../../src/jobs/json-pointer.ts";

/** The document of RFC 6901, section 5. */
const DOCUMENT = {
  ...{ foo: ["bar", "baz"], "": 0, "a/b": 1, "c%d": 2, "e^f": 3, "g|h": 4 },
  ...{ "i\\j": 5, 'k"l': 6, " ": 7, "m~n": 8 },
};

describe("a JSON Pointer", () => {
  test.each<[string, unknown]>([
    ["", DOCUMENT],
    ["/foo", ["bar", "baz"]],
    ["/foo/0", "bar"],
    ["/", 0],
    ["/a~1b", 1],
    ["/c%d", 2],
    ["/e^f", 3],
    ["/g|h", 4],
    ["/i\\j", 5],
    ['/k"l', 6],
    ["/ ", 7],
    ["/m~0n", 8],
  ])("%j finds what the RFC says", (pointer, value) => {
    expect(isPointer(pointer)).toBe(true);
    expect(valueAt(DOCUMENT, pointer)).toEqual(value);
  });

  test.each(["/foo/2", "/foo/-", "/foo/00", "/foo/length", "/nothing", "/foo/0/x", "/toString"])(
    "%j finds nothing",
    (pointer) => {
      expect(valueAt(DOCUMENT, pointer)).toBeUndefined();
    },
  );

  test("unescapes ~1 before ~0, and finds members with the names of others' methods", () => {
    expect(valueAt({ "~1": 1 }, "/~01")).toBe(1);
    expect(valueAt(JSON.parse('{"__proto__": {"x": 2}}'), "/__proto__/x")).toBe(2);
    expect(valueAt({}, "/__proto__")).toBeUndefined();
  });

  test.each(["foo", "/~", "/a~2b", "#/foo"])("%j is none", (text) => {
    expect(isPointer(text)).toBe(false);
  });

  test("leads to where it was made for", () => {
    expect(pointerTo(["foo", 0, "a/b", "m~n"])).toBe("/foo/0/a~1b/m~0n");
  });
});

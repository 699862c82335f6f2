import { describe, expect, it } from "vitest";

import { linkGuest, readGuest } from "../../runner/sandbox/guest-text.ts";

const link = (modules: Record<string, string>): string =>
  linkGuest(new Map(Object.entries(modules)));

describe("the linker of the guest", () => {
  it("makes one script whose value answers with the entry's exports", () => {
    const text = link({
      entry: 'import { one, two } from "./numbers.ts";\nexport const sum = () => one + two;',
      numbers: 'import { one } from "./one.ts";\nconst two = 2;\nexport { one, two };',
      one: "const hidden = 1;\nexport const one = hidden;",
    });
    expect(text).toMatch(/^\(function \(\) \{ "use strict";/);
    expect(text.indexOf("module_one =")).toBeLessThan(text.indexOf("module_numbers ="));
    expect(text).toContain("return { one, two };");
  });

  it.each([
    ["a default export", { entry: "export default 1;" }, /cannot link/],
    ["a star", { entry: 'import * as all from "./a.ts";', a: "" }, /cannot link/],
    ["a package", { entry: 'import { x } from "node:fs";' }, /cannot link/],
    ["nothing", { entry: 'import { x } from "./none.ts";' }, /no module none/],
    [
      "a circle",
      { entry: 'import { a } from "./a.ts";', a: 'import { b } from "./entry.ts";' },
      /circle/,
    ],
  ])("refuses %s", (_, modules, message) => {
    expect(() => link(modules as Record<string, string>)).toThrow(message);
  });

  it("links the guest as it is", async () => {
    expect((await readGuest()).length).toBeGreaterThan(10_000);
  });
});

import { describe, expect, it } from "vitest";

import { readGuest } from "../../runner/sandbox/guest-bundle.ts";

describe("the bundle of the guest", () => {
  it("is one strict function in ASCII, without imports or paths of this machine", async () => {
    const text = await readGuest();
    expect(text.slice(0, 28)).toBe('(function () { "use strict";');
    expect(/\bfrom ?"[a-z.@]|(?<![.\w])require\(/.exec(text)?.[0]).toBeUndefined();
    expect(/[^\0-\x7f]/.test(text)).toBe(false);
    expect(text.includes(import.meta.dirname.split("/", 3).join("/"))).toBe(false);
  });

  /** An object of exports is made by code that a script may have patched: see guest/libraries.ts. */
  it("gives no late module an object of what is private", async () => {
    const made = (await readGuest()).matchAll(/(\w+)_exports=\{\}/g);
    const shared = [...made].map(([, name]) => name);
    expect(shared).toEqual(expect.arrayContaining(["abort", "primordials"]));
    for (const name of ["bridge", "calls", "output", "timers"]) expect(shared).not.toContain(name);
  });
});

import fc from "fast-check";
import { describe, expect, it } from "vitest";

import { cutUtf8 } from "../../runner/utf8.ts";

describe("cutUtf8", () => {
  it("is never longer than allowed, always a prefix, and as long as can be", () => {
    fc.assert(
      fc.property(fc.string({ unit: "grapheme" }), fc.nat(40), (text, bytes) => {
        const cut = cutUtf8(text, bytes);
        expect(Buffer.byteLength(cut)).toBeLessThanOrEqual(bytes);
        expect(text.startsWith(cut)).toBe(true);
        const next = text.codePointAt(cut.length);
        if (next !== undefined)
          expect(Buffer.byteLength(cut + String.fromCodePoint(next))).toBeGreaterThan(bytes);
      }),
    );
  });

  it("leaves no lone surrogates, which the wire cannot carry", () => {
    expect(cutUtf8("a\ud800b", 100)).toBe("a\ufffdb");
  });
});

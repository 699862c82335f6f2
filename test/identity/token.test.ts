import { describe, expect, it } from "vitest";

import { formatToken, hashSecret, parseToken, secretMatches } from "../../src/identity/token.ts";
import { systemRandom } from "../../src/runtime/random.ts";

const aToken = () => formatToken(systemRandom.secret(12), systemRandom.secret(32));

describe("a token", () => {
  it("is read back as the id and the secret that it was made of", () => {
    const { id, secret, text } = aToken();
    expect(parseToken(text)).toEqual({ id, secret });
  });

  it("has the same shape whatever the entropy", () => {
    const low = formatToken(
      Buffer.alloc(12).toString("base64url"),
      Buffer.alloc(32).toString("base64url"),
    );
    const high = formatToken(
      Buffer.alloc(12, 255).toString("base64url"),
      Buffer.alloc(32, 255).toString("base64url"),
    );
    expect(low.text).toHaveLength(high.text.length);
    expect(parseToken(low.text)).not.toBeNull();
    expect(parseToken(high.text)).not.toBeNull();
  });

  it("with any one character changed is told from a good one without a database", () => {
    const { text } = aToken();
    for (let index = "mr_".length; index < text.length; index += 1) {
      const other = text[index] === "a" ? "b" : "a";
      expect(parseToken(text.slice(0, index) + other + text.slice(index + 1))).toBeNull();
    }
  });

  it.each(["", "mr_", "mr__", "x".repeat(200), "mr_a_b"])("is not %j", (text) => {
    expect(parseToken(text)).toBeNull();
  });
});

describe("the hash of a secret", () => {
  it("is matched by that secret alone", () => {
    const { secret } = aToken();
    expect(secretMatches(secret, hashSecret(secret))).toBe(true);
    expect(secretMatches(`${secret}x`, hashSecret(secret))).toBe(false);
    expect(secretMatches(secret, "")).toBe(false);
  });

  it("does not hold the secret", () => {
    const { secret } = aToken();
    expect(hashSecret(secret)).not.toContain(secret);
    expect(hashSecret(secret)).toMatch(/^[0-9a-f]{64}$/);
  });
});

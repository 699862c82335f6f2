import { describe, expect, test } from "vitest";

import { isUuidV7 } from "../../src/jobs/ids.ts";
import { systemRandom } from "../../src/runtime/random.ts";

describe("ids", () => {
  const ids = Array.from({ length: 20_000 }, () => systemRandom.uuid());

  test("are UUIDv7, and carry the time", () => {
    expect(ids.filter((id) => !isUuidV7(id))).toEqual([]);
    const time = Number.parseInt(ids[0]?.replaceAll("-", "").slice(0, 12) ?? "", 16);
    expect(Math.abs(Date.now() - time)).toBeLessThan(60_000);
  });

  test("sort in the order in which they were made, and none comes twice", () => {
    expect([...ids].sort()).toEqual(ids);
    expect(new Set(ids).size).toBe(ids.length);
  });
});

describe("secrets", () => {
  test("have the length asked for, and none comes twice", () => {
    const secrets = Array.from({ length: 10_000 }, () => systemRandom.secret(16));
    expect(new Set(secrets).size).toBe(secrets.length);
    expect(secrets.every((secret) => Buffer.from(secret, "base64url").length === 16)).toBe(true);
  });
});

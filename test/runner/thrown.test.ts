import { expect, it } from "vitest";

import { thrownFailure } from "../../runner/executors/thrown.ts";

it("an error is told as texts, whatever its properties are", () => {
  const odd = Object.assign(new Error(), { message: { reason: "none" }, name: "Odd" });
  const cause = Object.assign(new Error("inner"), { stack: 7 });
  const failures = [odd, Object.create(null), null, new Error("outer", { cause })].map(
    thrownFailure,
  );
  expect(failures.map(({ message }) => message)).toEqual([
    "Odd: [object Object]",
    "(cannot be shown)",
    "null",
    "outer",
  ]);
  expect(failures.at(-1)?.stack).toContain("\n[cause]: 7");
  expect(failures.every(({ stack }) => typeof stack === "string")).toBe(true);
});

it("an error that throws when it is looked at is told as one of which nothing can be told", () => {
  const trap = new Proxy(new Error("no"), {
    get: () => {
      throw new Error("hands off");
    },
  });
  expect(thrownFailure(trap)).toMatchObject({
    code: "handler.threw",
    message: "(cannot be shown)",
    retryable: true,
  });
});

import { expect, test } from "vitest";

import { reportOf } from "../../examples/report/workflow.ts";
import { type At, script, workflow } from "../../examples/report/typed-workflow.ts";

type Token = { readonly id: number; readonly tags: readonly { readonly name: string }[] };

const make = script<{ readonly purpose: string }, Token>("make.ts");
const put = script<{ readonly id: number; readonly names: readonly string[] }, null>("put.ts");

const begun = workflow("tokens").step("make", make, () => ({ purpose: "report" }));

test("a workflow becomes a file with its bindings in place", () => {
  const { file } = begun.step(
    "put",
    put,
    (from) => ({ id: from("make", "/id"), names: [from("make", "/tags/0/name"), "fixed"] }),
    { after: ["make"], spec: { attemptTimeout: "5s" } },
  );
  expect(file).toEqual({
    name: "tokens",
    steps: {
      make: { script: { file: "make.ts" }, input: { purpose: "report" }, after: [] },
      put: {
        script: { file: "put.ts" },
        attemptTimeout: "5s",
        input: {
          id: { $from: "make", pointer: "/id" },
          names: [{ $from: "make", pointer: "/tags/0/name" }, "fixed"],
        },
        after: ["make"],
      },
    },
  });
  expect(Object.keys(reportOf(2026).file.steps)).toEqual([
    "fetch",
    "transform",
    "export",
    "notify",
  ]);
});

test("what cannot be right does not compile", () => {
  const name: At<Token, "/tags/0/name"> = "a text";
  expect(name).toBe("a text");
  const names = { names: [] };
  // @ts-expect-error there is no such step
  begun.step("put", put, (from) => ({ id: from("made", "/id"), ...names }));
  // @ts-expect-error its result has no such member
  begun.step("put", put, (from) => ({ id: from("make", "/key"), ...names }));
  // @ts-expect-error a text is no number
  begun.step("put", put, (from) => ({ id: from("make", "/tags/0/name"), ...names }));
  // @ts-expect-error the input lacks a member
  begun.step("put", put, (from) => ({ id: from("make", "/id") }));
  // @ts-expect-error that name is taken
  begun.step("make", put, () => ({ id: 1, ...names }));
  // @ts-expect-error a step does not wait for a later one
  begun.step("put", put, () => ({ id: 1, ...names }), { after: ["later"] });
});

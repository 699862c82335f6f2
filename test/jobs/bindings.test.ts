import { describe, expect, test } from "vitest";

import {
  InputDraft,
  type Picked,
  pickFrom,
  type Resolved,
  type Upstream,
} from "../../src/jobs/bindings.ts";
import type { JobId } from "../../src/jobs/ids.ts";
import type { JsonText } from "../../src/jobs/job.ts";
import { LIMITS } from "../../src/jobs/limits.ts";
import type { Binding } from "../../src/jobs/workflow.ts";

/** The parts as their users put them together: each upstream is parsed once. */
const resolveInput = (
  template: JsonText,
  bindings: readonly Binding[],
  upstreams: ReadonlyMap<JobId, Upstream>,
): Resolved => {
  const draft = new InputDraft(template);
  const pickers = new Map<JobId, (binding: Binding) => Picked>();
  for (const binding of bindings) {
    const upstream = upstreams.get(binding.upstreamId);
    if (upstream === undefined) {
      draft.add(binding, { kind: "gone" });
      continue;
    }
    let picker = pickers.get(binding.upstreamId);
    if (picker === undefined) {
      picker = pickFrom(upstream);
      pickers.set(binding.upstreamId, picker);
    }
    draft.add(binding, picker(binding));
  }
  return draft.finish();
};

const TOKEN = "token" as JobId;

const upstream = (facts: Partial<Upstream> = {}): Upstream => ({
  state: "SUCCEEDED",
  error: null,
  cancelReason: "",
  result: null,
  ...facts,
});

const bind = (path: Binding["path"], facts: Partial<Binding> = {}): Binding => ({
  ...{ path, upstreamId: TOKEN, step: "make_token", of: "result", pointer: "", fallback: null },
  ...facts,
});

const resolved = (template: unknown, bindings: readonly Binding[], of: Partial<Upstream> | null) =>
  resolveInput(
    JSON.stringify(template),
    bindings,
    new Map(of === null ? [] : [[TOKEN, upstream(of)]]),
  );

const inputOf = (...asked: Parameters<typeof resolved>): unknown => {
  const outcome = resolved(...asked);
  if (outcome.kind === "failed") throw new Error(outcome.error.message);
  return JSON.parse(outcome.input);
};

const errorOf = (...asked: Parameters<typeof resolved>) => {
  const outcome = resolved(...asked);
  if (outcome.kind !== "failed") throw new Error("the input was resolved");
  return outcome.error;
};

describe("a bound value", () => {
  test("takes the place of its binding, as a whole or by a pointer", () => {
    const template = { token_id: {}, all: [1, {}], kept: true };
    const bindings = [bind(["token_id"], { pointer: "/id" }), bind(["all", 1])];
    expect(inputOf(template, bindings, { result: '{"id":"t-1"}' })).toEqual({
      ...{ token_id: "t-1", all: [1, { id: "t-1" }], kept: true },
    });
  });

  test("may be the whole input, null or false", () => {
    expect(inputOf({}, [bind([])], { result: "false" })).toBe(false);
    expect(inputOf({ a: {} }, [bind(["a"], { pointer: "/x" })], { result: '{"x":null}' })).toEqual({
      a: null,
    });
  });

  test("goes into a member that is called __proto__, and into no prototype", () => {
    const template = JSON.parse('{"__proto__": {}}') as unknown;
    const outcome = resolved(template, [bind(["__proto__"])], { result: '{"x":1}' });
    expect(outcome).toEqual({ kind: "input", input: '{"__proto__":{"x":1}}' });
    expect("x" in {}).toBe(false);
  });

  test.each<[string, Partial<Upstream>, unknown]>([
    ["null of one that succeeded", { result: "1" }, null],
    [
      "code and message of one that failed",
      { state: "FAILED", error: { code: "boom", message: "it broke" } },
      { code: "boom", message: "it broke" },
    ],
    [
      "the reason of one that was cancelled",
      { state: "CANCELLED", cancelReason: "enough" },
      { code: "cancelled", message: "enough" },
    ],
  ])("of the error is %s", (_, facts, value) => {
    expect(inputOf([{}], [bind([0], { of: "error" })], facts)).toEqual([value]);
  });

  test("that is not there is its fallback", () => {
    const bindings = [bind([0], { pointer: "/x", fallback: "[1]" })];
    expect(inputOf([{}], bindings, { result: "{}" })).toEqual([[1]]);
    expect(inputOf([{}], bindings, { state: "FAILED" })).toEqual([[1]]);
  });
});

describe("an input fails", () => {
  test("by a value that is not there: the message names binding, step and pointer", () => {
    expect(
      errorOf({ a: [{}] }, [bind(["a", 0], { pointer: "/id/x" })], { result: '{"id":1}' }),
    ).toEqual({
      code: "binding.missing",
      message:
        'the input at /a/0 takes a value of step "make_token", which has nothing at /id/x in its result',
      ...{ stack: "", retryable: false },
    });
    expect(errorOf({}, [bind([])], { state: "CANCELLED" })).toMatchObject({
      code: "binding.missing",
      message: 'the input takes a value of step "make_token", which has no result',
    });
  });

  test.each([
    ["an upstream", null],
    ["a result", { state: "SUCCEEDED" as const, result: null }],
  ])("by %s that has been removed, whatever the fallback", (_, facts) => {
    const { code } = errorOf([{}], [bind([0], { fallback: "1" })], facts);
    expect(code).toBe("binding.gone");
  });

  test("by more bytes than an input may have, in one value or in many", () => {
    const half = JSON.stringify("x".repeat(LIMITS.inputBytes / 2));
    const bindings = [0, 1].map((index) => bind([index]));
    expect(errorOf([{}, {}], bindings, { result: half }).code).toBe("binding.too_large");
    expect(inputOf([{}], bindings.slice(0, 1), { result: half })).toBeDefined();
  });

  test("by what the template has beside its values", () => {
    const rest = "x".repeat(LIMITS.inputBytes - 20);
    const error = errorOf([{}, rest], [bind([0])], { result: JSON.stringify("y".repeat(30)) });
    expect(error.code).toBe("binding.too_large");
  });

  test.each([
    ["little", { pointer: "/id" }],
    ["nothing", { pointer: "/x", fallback: "0" }],
  ])("by results that are too long together, if %s is taken of them", (_, facts) => {
    const rest = "x".repeat(LIMITS.resultBytes - 18);
    const result = JSON.stringify({ id: 7, rest });
    const most = LIMITS.boundResultsLength / result.length;
    const draftOf = (results: number): Resolved => {
      const ids = Array.from({ length: results }, (_, index) => `job ${index}` as JobId);
      const bindings = ids.flatMap((upstreamId, index) =>
        [0, 1].map((at) => bind([index, at], { ...facts, upstreamId })),
      );
      const template = JSON.stringify(ids.map(() => [0, 0]));
      return resolveInput(template, bindings, new Map(ids.map((id) => [id, upstream({ result })])));
    };
    expect(draftOf(most).kind).toBe("input");
    expect(draftOf(most + 1)).toMatchObject({
      kind: "failed",
      error: { code: "binding.too_large", message: expect.stringContaining("together") as string },
    });
  });

  test("by values that are nested too deep", () => {
    const deep = "[".repeat(LIMITS.jsonDepth) + "]".repeat(LIMITS.jsonDepth);
    expect(inputOf({}, [bind([])], { result: deep })).toBeDefined();
    expect(errorOf([{}], [bind([0])], { result: deep })).toMatchObject({
      code: "binding.too_large",
      message: expect.stringContaining(`${LIMITS.jsonDepth} levels`) as string,
    });
  });
});

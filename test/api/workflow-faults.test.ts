import { fromJson, type JsonObject, type JsonValue } from "@bufbuild/protobuf";
import { NullValue, ValueSchema } from "@bufbuild/protobuf/wkt";
import { ConnectError } from "@connectrpc/connect";
import { afterAll, beforeAll, describe, expect, it } from "vitest";

import { BadRequestSchema } from "../../src/gen/google/rpc/error_details_pb.ts";
import { ConcurrencyPolicy } from "../../src/gen/millrace/v1/job_pb.ts";
import { LIMITS } from "../../src/jobs/limits.ts";
import { aStep, type StepInit, WORK } from "../support/flows.ts";
import { refusalOf } from "../support/refusal.ts";
import { startTestServer, type TestServer } from "../support/server.ts";

let server: TestServer;

beforeAll(async () => {
  server = await startTestServer({ handlers: [WORK] });
  const properties = { id: { type: "string", minLength: 1 }, size: { type: "integer" } };
  const inputSchema = { type: "object", properties, required: ["id"], additionalProperties: false };
  const handler = { case: "handler" as const, value: {} };
  await server.types.putJobType({ spec: { name: "typed", work: handler, inputSchema } });
  await server.types.putJobType({ spec: { name: "off", work: handler } });
  await server.types.setJobTypeEnabled({ name: "off", enabled: false });
});
afterAll(async () => {
  await server.stop();
});

type Request = Parameters<TestServer["jobs"]["submitWorkflow"]>[0];

const check = async (request: Request): Promise<unknown> =>
  await server.jobs.submitWorkflow({ ...request, validateOnly: true });

/** `field description` of each fault. */
const faultsOf = async (request: Request): Promise<string[]> => {
  try {
    await check(request);
    return [];
  } catch (caught) {
    const [details] = ConnectError.from(caught).findDetails(BadRequestSchema);
    const violations = details?.fieldViolations ?? [];
    return violations.map(({ field, description }) => `${field} ${description}`);
  }
};

const bound = (name: string, input: JsonValue, after: readonly string[] = []): StepInit =>
  aStep(name, { input, after });
const typed = (input: JsonObject): StepInit =>
  aStep("typed", { input, spec: { work: { case: "type", value: "typed" }, ...valueOf(input) } });
const valueOf = (input: JsonValue) => ({ input: fromJson(ValueSchema, input) });

describe("a workflow is refused, with the place of each fault,", () => {
  it.each<[string, readonly StepInit[], readonly string[]]>([
    ["without steps", [], ["steps must be 1 to 2000; there are 0."]],
    [
      "with names that are none, and names that are there twice",
      [aStep(""), aStep("a b"), aStep("ok"), aStep("ok")],
      [
        'steps[0].name must be 1 to 100 of A-Z a-z 0-9 . _ -; it is "".',
        'steps[1].name must be 1 to 100 of A-Z a-z 0-9 . _ -; it is "a b".',
        'steps[3].name is "ok", as that of steps[2]: names are unique.',
      ],
    ],
    [
      "with ties to nothing, to itself, and twice to the same",
      [aStep("a", { after: ["", "x", "a", "b", "b!"] }), aStep("b")],
      [
        "steps[0].after[0].step is missing: name a step.",
        'steps[0].after[1].step is no step: "x".',
        'steps[0].after[2].step is "a", the step itself.',
        'steps[0].after[4].step names "b" for the second time.',
      ],
    ],
    [
      "with a policy that is not known",
      [{ ...aStep("a"), after: [{ step: "b", onFailure: 7 as 0 }] } as StepInit, aStep("b")],
      ["steps[0].after[0].on_failure must be CANCEL or RUN; it is 7."],
    ],
    [
      "with cycles, by ties and by bindings",
      [
        aStep("a", { after: ["c"] }),
        bound("b", [{ $from: "a" }]),
        aStep("c", { after: ["b"] }),
        aStep("tail", { after: ["c"] }),
        aStep("x", { after: ["y"] }),
        aStep("y", { after: ["x"] }),
      ],
      ["steps[1] waits for itself: b → c → a → b.", "steps[5] waits for itself: y → x → y."],
    ],
    [
      "with bindings that are none",
      [
        aStep("a"),
        bound("b", {
          one: { $from: "nobody" },
          two: [{ $from: 3 }, { $from: "b" }],
          "th/ree": { $from: "a", pointer: "id", of: "all", path: "/id" },
          four: { $from: "a", pointer: "/~2" },
          five: { $from: "a", default: [{ $from: "a" }] },
        }),
      ],
      [
        "steps[1].spec.input/two/0/$from must be the name of a step; it is 3.",
        "steps[1].spec.input/th~1ree/path is no member of a binding: beside $from stand pointer, of and default.",
        'steps[1].spec.input/th~1ree/of must be "result" or "error"; it is "all".',
        'steps[1].spec.input/th~1ree/pointer must be a JSON Pointer such as "/id"; it is "id".',
        'steps[1].spec.input/four/pointer must be a JSON Pointer such as "/id"; it is "/~2".',
        "steps[1].spec.input/five/default must not hold a binding of its own.",
        'steps[1].spec.input/one/$from is no step: "nobody".',
        'steps[1].spec.input/two/1/$from is "b", the step itself.',
      ],
    ],
    [
      "with the error of a step that has to succeed",
      [aStep("a"), bound("b", { $from: "a", of: "error" })],
      [
        'steps[1].spec.input/of would always be null: give `after` that step with "on_failure": "UPSTREAM_FAILURE_POLICY_RUN".',
      ],
    ],
    [
      "with jobs that are refused by themselves",
      [
        { name: "none" },
        aStep("bad", { spec: { work: { case: "script", value: { source: "export default (" } } } }),
        aStep("deep", { spec: { priority: 101, concurrencyPolicy: ConcurrencyPolicy.REJECT } }),
        aStep("reject", {
          spec: { concurrencyKey: "k", concurrencyPolicy: ConcurrencyPolicy.REJECT },
        }),
      ],
      [
        "steps[0].spec is missing.",
        expect.stringMatching(/^steps\[1\]\.spec\.script\.source has a syntax error at line 1/),
        "steps[2].spec.concurrency_key is missing: REJECT needs a key.",
        "steps[2].spec.priority must be -100 to 100; it is 101.",
        "steps[3].spec.concurrency_policy must be QUEUE in a workflow; it is REJECT, by the step or by its type.",
      ],
    ],
    [
      "with known parts of inputs that do not fit, and values for what cannot be there",
      [aStep("a"), typed({ size: "x", more: { $from: "a" } })],
      [
        "steps[1].spec.input/id is missing.",
        "steps[1].spec.input/more is not a known property.",
        'steps[1].spec.input/size must be integer; it is "x".',
      ],
    ],
    [
      "with a default that does not fit",
      [aStep("a"), typed({ id: { $from: "a", pointer: "/id", default: 7 } })],
      ["steps[1].spec.input/id must be string; it is 7."],
    ],
  ])("%s", async (_what, steps, faults) => {
    expect(await faultsOf({ steps: [...steps] })).toEqual(faults);
  });

  it("of the workflow itself", async () => {
    const faults = await faultsOf({
      steps: [aStep("a")],
      name: "n".repeat(201),
      labels: { "a b": "" },
      requestId: "r".repeat(101),
      workflowId: "mine",
    });
    const child = await faultsOf({ steps: [aStep("a")], requestId: "child:1" });
    expect(child).toEqual([expect.stringMatching(/^request_id must not begin with child:/)]);
    expect(faults.map((text) => text.split(" ")[0])).toEqual([
      "request_id",
      "workflow_id",
      "name",
      'labels["a',
      'steps[0].spec.labels["a',
    ]);
  });

  it("for a type that is not there or takes no jobs, naming the step", async () => {
    const of = (value: string) => aStep("s", { spec: { work: { case: "type", value } } });
    const reasonOf = async (value: string) => await refusalOf(check({ steps: [of(value)] }));
    expect(await reasonOf("off")).toMatchObject({
      reason: "JOB_TYPE_DISABLED",
      metadata: { type: "off", step: "s" },
    });
    expect(await reasonOf("nowhere")).toMatchObject({
      reason: "JOB_TYPE_NOT_FOUND",
      metadata: { type: "nowhere", step: "s" },
    });
  });
});

describe("the limits of a workflow", () => {
  const chain = (length: number): StepInit[] =>
    Array.from({ length }, (_, at) => aStep(`s${at}`, { after: at === 0 ? [] : [`s${at - 1}`] }));

  it("take a chain of 500, and none of 501", async () => {
    expect(await faultsOf({ steps: chain(500) })).toEqual([]);
    const faults = await faultsOf({ steps: chain(501) });
    expect(faults).toEqual(["steps must be at most 500 that follow one another; there are 501."]);
  });

  it("take 2,000 steps and 20,000 ties, and not one more", async () => {
    const heads = Array.from({ length: 10 }, (_, at) => `h${at}`);
    const steps = [
      ...heads.map((name) => aStep(name)),
      ...Array.from({ length: 1_990 }, (_, at) => aStep(`s${at}`, { after: heads })),
    ];
    expect(await faultsOf({ steps })).toEqual([]);
    expect(await faultsOf({ steps: [...steps, aStep("more")] })).toEqual([
      "steps must be 1 to 2000; there are 2001.",
    ]);
    const many = Array.from({ length: 101 }, (_, at) => `s${at}`);
    const tied = [...steps.slice(0, -1), aStep("last", { after: [...heads, ...many] })];
    expect(await faultsOf({ steps: tied })).toEqual([
      "steps must have at most 20000 ties in all; there are 20001.",
    ]);
  });

  it("take 4 MiB in all", async () => {
    const text = "x".repeat(LIMITS.inputBytes - 100);
    const steps = Array.from({ length: 4 }, (_, at) => aStep(`s${at}`, { input: text }));
    expect(await faultsOf({ steps })).toEqual([]);
    const more = [...steps, aStep("more", { input: "x".repeat(1_000) })];
    expect(await faultsOf({ steps: more })).toEqual([
      expect.stringMatching(/^steps must have at most 4194304 bytes in all; it has \d+\.$/),
    ]);
  });

  it("take 20,000 bindings, and no more of a long path than an input is long", async () => {
    const bindings = (count: number) => Array.from({ length: count }, () => ({ $from: "a" }));
    const steps = (input: JsonValue) => [aStep("a"), bound("b", input)];
    expect(await faultsOf({ steps: steps(bindings(20_000)) })).toEqual([]);
    const most = `must hold at most 20000 bindings, with paths of ${LIMITS.inputBytes} characters in all; it holds more.`;
    const over = `steps[1].spec.input ${most}`;
    expect(await faultsOf({ steps: steps(bindings(20_001)) })).toContain(over);
    const long = { ["n".repeat(100_000)]: bindings(20) };
    expect(await faultsOf({ steps: steps(long) })).toContain(over);
  });

  it("take an input as deep as a job's, and no number that JSON has not", async () => {
    let deep: JsonValue = { $from: "a" };
    for (let level = 0; level < LIMITS.jsonDepth; level += 1) deep = [deep];
    expect(await faultsOf({ steps: [aStep("a"), bound("b", deep)] })).toEqual([
      "steps[1].spec.input must be nested at most 30 levels deep; it is deeper.",
    ]);
    const infinite = { kind: { case: "numberValue" as const, value: Number.POSITIVE_INFINITY } };
    const list = { case: "listValue" as const, value: { values: [infinite] } };
    const input = { kind: list };
    expect(await faultsOf({ steps: [aStep("a", { spec: { input } })] })).toEqual([
      expect.stringMatching(/^steps\[0\]\.spec\.input is no JSON value: Infinity/),
    ]);
    const none = { kind: { case: "nullValue" as const, value: NullValue.NULL_VALUE } };
    expect(await faultsOf({ steps: [aStep("a", { spec: { input: none } })] })).toEqual([]);
  });
});

it("what cannot be known of a bound value is no fault", async () => {
  const steps = [aStep("a"), typed({ id: { $from: "a", pointer: "/id" }, size: 3 })];
  expect(await faultsOf({ steps })).toEqual([]);
});

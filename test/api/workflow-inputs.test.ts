import { fromJson, type JsonObject, type JsonValue, toJson } from "@bufbuild/protobuf";
import { ValueSchema } from "@bufbuild/protobuf/wkt";
import { afterAll, beforeAll, describe, expect, it } from "vitest";

import { JobState } from "../../src/gen/millrace/v1/job_pb.ts";
import { ENGINES } from "../support/databases.ts";
import { eventually } from "../support/eventually.ts";
import { aStep, createFlows, type Flows, WORK } from "../support/flows.ts";
import { createHandRunner, type HandRunner } from "../support/hand-runner.ts";
import type { TestServer } from "../support/server.ts";
import { startServerOn } from "../support/server-on.ts";

const SET: JsonObject = {
  type: "object",
  properties: {
    set: { type: "string" },
    token: { type: "object", properties: { id: { type: "integer" } }, required: ["id"] },
    tries: { type: "integer", default: 3 },
  },
  required: ["set", "token"],
};

const stepsOf = (type: string) => [
  aStep("make"),
  aStep("put", {
    input: { set: "readers", token: { $from: "make" } },
    spec: { work: { case: "type", value: type } },
  }),
  aStep("tell", { after: ["put"] }),
];

describe.each(ENGINES)("inputs that are complete when a step starts, on %s", (engine) => {
  let server: TestServer;
  let flows: Flows;
  let runner: HandRunner;

  beforeAll(async () => {
    server = await startServerOn(engine, { handlers: [WORK] });
    flows = createFlows(server);
    runner = createHandRunner(server, { capabilities: [`handler:${WORK}`] });
    for (const [name, work] of [
      ["sets.put", { case: "handler" as const, value: { name: WORK } }],
      ["sets.external", { case: "external" as const, value: {} }],
    ] as const) {
      await server.types.putJobType({ spec: { name, work, inputSchema: SET } });
    }
  });
  afterAll(async () => {
    await server.stop();
  });

  const inputOf = async (id: string, step: string): Promise<JsonValue> => {
    const jobId = (await flows.jobsOf(id)).get(step)?.id ?? "";
    const { input } = await server.jobs.getJobInput({ jobId });
    return toJson(ValueSchema, input ?? fromJson(ValueSchema, null));
  };

  /** Does the first step of a workflow. */
  const make = async (id: string, result: JsonValue): Promise<void> => {
    const assignment = await runner.take();
    expect(assignment.attempt?.jobId).toBe((await flows.jobsOf(id)).get("make")?.id);
    await runner.succeed(assignment, JSON.stringify(result));
  };
  const untilFailed = async (id: string): Promise<void> => {
    await eventually(async () => expect(await flows.stateOf(id)).toBe("FAILED"));
    expect(await flows.statesOf(id)).toBe("make SUCCEEDED, put FAILED, tell CANCELLED");
  };

  it("are held against the schema of the type, and filled in with its defaults", async () => {
    const id = await flows.submit(...stepsOf("sets.put"));
    await make(id, { id: 7 });
    const put = await runner.take();
    const input = { set: "readers", token: { id: 7 }, tries: 3 };
    expect(JSON.parse(put.inputJson)).toEqual(input);
    await runner.succeed(put);
    await runner.succeed(await runner.take());
    expect(await inputOf(id, "put")).toEqual(input);
  });

  it("fail the step for good, before any runner has it, where they do not fit", async () => {
    const id = await flows.submit(...stepsOf("sets.put"));
    await make(id, { id: "seven" });
    await untilFailed(id);
    const put = (await flows.jobsOf(id)).get("put");
    expect(put).toMatchObject({ retryCount: 0, error: { code: "input.invalid" } });
    expect(put?.error?.message).toBe('input/token/id: must be integer; it is "seven".');
    expect(await inputOf(id, "put")).toEqual({ set: "readers", token: { id: "seven" } });

    await server.jobs.retryWorkflow({ workflowId: id });
    await untilFailed(id);
    const { attempts } = await server.jobs.listJobAttempts({ jobId: put?.id ?? "" });
    expect(attempts).toHaveLength(2);
  });

  it("of external work too", async () => {
    const bad = await flows.submit(...stepsOf("sets.external"));
    await make(bad, {});
    await untilFailed(bad);
    const put = (await flows.jobsOf(bad)).get("put");
    expect(put?.error).toMatchObject({ code: "input.invalid" });

    const good = await flows.submit(...stepsOf("sets.external"));
    await make(good, { id: 7 });
    await eventually(async () => {
      expect((await flows.jobsOf(good)).get("put")?.state).toBe(JobState.RUNNING);
    });
    expect(await inputOf(good, "put")).toMatchObject({ token: { id: 7 }, tries: 3 });
    await server.jobs.cancelWorkflow({ workflowId: good });
  });
});

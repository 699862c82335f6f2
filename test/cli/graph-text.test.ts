import { PassThrough } from "node:stream";
import { stripVTControlCharacters } from "node:util";

import { create } from "@bufbuild/protobuf";
import { timestampFromMs } from "@bufbuild/protobuf/wkt";
import { expect, test } from "vitest";

import { NO_COLOURS } from "../../src/cli/view/colours.ts";
import { graphLines } from "../../src/cli/workflow/graph-text.ts";
import { createLiveGraph } from "../../src/cli/workflow/live-graph.ts";
import { JobState } from "../../src/gen/millrace/v1/job_pb.ts";
import {
  GetWorkflowResponseSchema,
  WatchJobsResponseSchema,
} from "../../src/gen/millrace/v1/job_service_pb.ts";
import { type WorkflowNode, WorkflowNodeSchema } from "../../src/gen/millrace/v1/workflow_pb.ts";
import { systemRandom } from "../../src/runtime/random.ts";
import { createManualClock } from "../support/manual-clock.ts";

const node = (name: string, state: JobState, ...after: string[]): WorkflowNode =>
  create(WorkflowNodeSchema, {
    name,
    job: { id: name, stepName: name, state, startTime: timestampFromMs(0) },
    after: after.map((step) => ({ step })),
  });

const linesOf = (nodes: readonly WorkflowNode[], stepsPerLayer: number): string[] =>
  graphLines(nodes, { now: 1_500, colours: NO_COLOURS, terminal: false, stepsPerLayer }).map(
    ({ text }) => text,
  );

test("steps stand in the layer behind the last that they wait for", () => {
  const nodes = [
    node("d", JobState.BLOCKED, "b", "c"),
    node("c", JobState.RUNNING, "a"),
    node("b", JobState.BLOCKED, "c"),
    node("a", JobState.SUCCEEDED),
  ];
  expect(linesOf(nodes, 20).map((line) => line.slice(0, 16).trimEnd())).toEqual([
    "1 ● a  SUCCEEDED",
    "2 ◐ c  RUNNING",
    "3 ○ b  BLOCKED",
    "4 ○ d  BLOCKED",
  ]);
});

test("of a wide layer what went wrong and what runs is drawn, and the rest counted", () => {
  const nodes = [
    node("first", JobState.SUCCEEDED),
    ...Array.from({ length: 1_000 }, (_, at) =>
      node(`m${at}`, at === 500 ? JobState.FAILED : JobState.SUCCEEDED, "first"),
    ),
  ];
  const lines = linesOf(nodes, 2);
  expect(lines).toHaveLength(4);
  expect(lines[2]).toMatch(/^ {2}✗ m500 +FAILED/);
  expect(lines[3]).toBe("  … and 998 more: 998 SUCCEEDED");
});

test("a live graph is drawn over itself, within the terminal, and leaves it as it was found", async () => {
  const terminal = new PassThrough() as unknown as NodeJS.WriteStream & PassThrough;
  const chunks: string[] = [];
  terminal.on("data", (chunk: Buffer) => chunks.push(chunk.toString()));
  Object.assign(terminal, { isTTY: true, rows: 10 });
  const clock = createManualClock();
  const nodes = Array.from({ length: 50 }, (_, at) =>
    node(`s${at}`, JobState.BLOCKED, ...(at === 0 ? [] : [`s${at - 1}`])),
  );
  const start = create(GetWorkflowResponseSchema, {
    workflow: { id: "w", name: "chain", stepCount: 50, state: 1, createTime: timestampFromMs(0) },
    nodes,
  });
  const shell = {
    environment: {},
    stdin: new PassThrough(),
    stdout: terminal,
    stderr: terminal,
    clock,
    random: systemRandom,
    signal: new AbortController().signal,
  };
  const taken = (): string[] => {
    const text = chunks.splice(0).join("");
    return stripVTControlCharacters(text).trimEnd().split("\n");
  };

  const view = createLiveGraph(start, shell);
  const first = taken();
  expect(first.length).toBeLessThan(10);
  expect(first.at(-1)).toMatch(/^… \d+ lines below$/);

  const jobs = nodes.slice(0, 30).flatMap(({ job }) => {
    return job === undefined ? [] : [{ ...job, state: JobState.SUCCEEDED }];
  });
  view.show(create(WatchJobsResponseSchema, { jobs }));
  clock.advance(100);
  const later = taken();
  expect(later[0]).toContain("30 of 50 steps succeeded");
  expect(later[1]).toBe("… 28 lines above");
  expect(later.some((line) => line.includes("s30"))).toBe(true);

  view.end(start);
  const raw = chunks.join("");
  expect(raw.startsWith("\u001b[")).toBe(true);
  expect(raw).toContain("\u001b[?25h");
  expect(raw).toContain("\u001b[?7h");
  expect(taken()).toHaveLength(51);
  clock.advance(5_000);
  expect(chunks).toEqual([]);
  await Promise.resolve();
});

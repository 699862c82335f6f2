import { writeFile } from "node:fs/promises";
import path from "node:path";

import { afterAll, beforeAll, describe, expect, test } from "vitest";

import { systemClock } from "../../src/runtime/clock.ts";
import { type DevHere, startDevHere } from "../support/dev-here.ts";

let dev: DevHere;

beforeAll(async () => {
  dev = await startDevHere();
});
afterAll(async () => {
  await dev.stop();
});

const inFolder = async (name: string, text: string): Promise<string> => {
  const file = path.join(dev.dataDir, name);
  await writeFile(file, text);
  return file;
};

const run = async (...args: readonly string[]) => await dev.cli(["workflow", ...args]);

const TWICE = `
name: twice
labels: { month: 11 }
steps:
  put:
    script: { file: twice.ts }
    input: { id: { $from: make, pointer: /id } }
  make:
    script: "export default () => ({ id: 21 })"
    attemptTimeout: 20s
    labels: { kind: maker }
  tell:
    script: "export default (input) => { if (input === null) throw new Error('nothing'); return input; }"
    input: { $from: put }
    after: [make]
`;

describe("a workflow", () => {
  test("is submitted from a file, watched to its end, and shown as a graph", async () => {
    await inFolder("twice.ts", "export default (input: { id: number }): number => input.id * 2;");
    const file = await inFolder("twice.yaml", TWICE);
    const { code, stdout, stderr } = await run("submit", file, "--watch");
    expect({ code, stderr }).toMatchObject({ code: 0 });
    expect(stderr).toMatch(/^Workflow \S+ is accepted\.\n/);
    expect(stderr).toMatch(/^make {2}SUCCEEDED {2}[\d.]+ m?s$/m);
    expect(stderr).toMatch(/Workflow \S+ succeeded after .*: 3 of 3 steps succeeded\.\n$/);
    const lines = stdout.trimEnd().split("\n");
    expect(lines[0]).toMatch(/^twice {2}SUCCEEDED {2}3 of 3 steps succeeded/);
    expect(lines.slice(1)).toEqual([
      expect.stringMatching(/^1 ● make {2}SUCCEEDED +[\d.]+ m?s$/),
      expect.stringMatching(/^2 ● put {3}SUCCEEDED +[\d.]+ m?s {2}← make$/),
      expect.stringMatching(/^3 ● tell {2}SUCCEEDED +[\d.]+ m?s {2}← put, make$/),
    ]);

    const [id = ""] = /[0-9a-f-]{36}/.exec(stderr) ?? [];
    expect((await run("get", id)).stdout).toBe(stdout);
    const whole = JSON.parse((await run("get", id, "--output", "json")).stdout) as {
      readonly workflow: object;
      readonly nodes: readonly { readonly job: { readonly id: string } }[];
    };
    expect(whole).toMatchObject({
      workflow: { state: "WORKFLOW_STATE_SUCCEEDED", labels: { month: "11" } },
      nodes: [{ name: "put" }, { job: { labels: { month: "11", kind: "maker" } } }, {}],
    });
    const tell = await dev.cli(["job", "result", whole.nodes[2]?.job.id ?? ""]);
    expect(tell.stdout).toBe("42\n");
    expect((await run("list", "--state", "succeeded")).stdout).toMatch(
      new RegExp(`^WORKFLOW +STATE +NAME +AGE +STEPS\\n${id} +SUCCEEDED +twice `),
    );
  });

  test("that fails says so with its exit code, and is retried as often as its steps may be", async () => {
    const text = `
      steps:
        try: { script: "export default () => { throw new Error('no') }", retryPolicy: { maxRetries: 2, initialBackoff: 0s } }
        then: { script: "export default () => 1", after: [try] }
        else: { script: "export default (code) => code", after: [{ step: try, onFailure: run }],
                input: { $from: try, of: error, pointer: /code } }`;
    const id = "01980d2e-5f00-7000-8000-00000000f1a9";
    const file = await inFolder("fails.yaml", text);
    const watched = await run("submit", file, "--workflow-id", id, "--watch");
    expect(watched).toMatchObject({ code: 1 });
    expect(watched.stdout).toMatch(/✗ try +FAILED +.* script\.threw: no/);
    expect(watched.stdout).toMatch(/⊘ then +CANCELLED +← try {2}try did not succeed/);
    expect(watched.stdout).toMatch(/● else +SUCCEEDED +.*← try \(runs anyway\)/);
    // All of its retries have been used.
    const again = await run("retry", id, "--output", "json");
    expect(again.code).toBe(5);
    expect(JSON.parse(again.stderr)).toMatchObject({ error: { reason: "WORKFLOW_NOT_RETRYABLE" } });
    expect(await run("watch", id)).toMatchObject({ code: 1 });
  });

  test("is cancelled, once", async () => {
    const late = new Date(systemClock.now() + 3_600_000).toISOString();
    const steps = { late: { script: "export default () => 1", runAt: late } };
    const file = await inFolder("late.json", JSON.stringify({ steps }));
    const id = (await run("submit", file)).stdout.trim();
    const cancelled = await run("cancel", id, "--reason", "not now");
    expect(cancelled).toMatchObject({
      code: 0,
      stdout: `Workflow ${id} was cancelled (not now): 0 of 1 steps succeeded, 1 cancelled.\n`,
    });
    expect((await run("cancel", id)).stderr).toContain("it is CANCELLED");
    expect(await run("watch", id)).toMatchObject({ code: 3 });
  });
});

describe("a file", () => {
  test.each<[string, string, RegExp]>([
    ["that is no YAML", "steps: [", /wrong\.yaml:1/],
    ["without steps", "name: x", /steps must be there/],
    ["with a field that is not known", "step: {}\nsteps: {}", /:1.*step is unknown/],
    ["with a name that is no text", "name: [x]\nsteps: {}", /:1.*name must be a text/],
    ["with a label that is none", "labels:\n  a: ~\nsteps: {}", /:2.*a must be a text/],
    ["with a step that is none", "steps:\n  a: 3", /:2.*a must have fields/],
    ["with a tie that is none", "steps:\n  a:\n    after: [3]", /:3.*after names a step/],
    [
      "with a policy that is none",
      "steps:\n  a:\n    after: [{ step: b, onFailure: 1 }]",
      /:3.*after names a step/,
    ],
    [
      "with a field of a job that is not known",
      "steps:\n  a:\n    tpye: x",
      /:2.*a is no job specification: key "tpye" is unknown/,
    ],
    ["with a script that is not there", "steps:\n  a:\n    script: {file: no.ts}", /:3.*ENOENT/],
  ])("%s is told with its line", async (_what, text, told) => {
    const { code, stderr } = await run("submit", await inFolder("wrong.yaml", text));
    expect({ code, stderr }).toEqual({ code: 2, stderr: expect.stringMatching(told) });
  });

  test("that the server refuses is told fault by fault", async () => {
    const text = "steps:\n  a: { type: x, after: [b] }\n  b: { type: x, after: [a] }";
    const { code, stderr } = await run("submit", await inFolder("ring.yaml", text));
    expect(code).toBe(2);
    expect(stderr).toContain("steps[1]: waits for itself: b → a → b.");
  });
});

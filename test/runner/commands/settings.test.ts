import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";

import { afterAll, beforeAll, describe, expect, it } from "vitest";

import { readRunnerConfig, readSandboxConfig, RunnerConfigFault } from "../../../runner/config.ts";
import { parseSettings, SettingsFault } from "../../../runner/settings.ts";
import { commandsFrom } from "../../support/commands.ts";

let directory: string;

beforeAll(async () => {
  directory = await mkdtemp(join(tmpdir(), "command-settings-"));
  await writeFile(join(directory, "text"), "no program", { mode: 0o644 });
});

afterAll(async () => {
  await rm(directory, { recursive: true });
});

const size = { type: "object", properties: { size: { type: "integer" } } };

describe("the configuration of commands", () => {
  it("is none: nothing is on unless it is written", () => {
    expect(parseSettings("", "runner.yaml").commands).toEqual({});
  });

  it("is read with its defaults", () => {
    const [command] = commandsFrom({ one: { argv: ["/bin/true"] } });
    expect(command).toMatchObject({
      name: "one",
      program: "/bin/true",
      stdin: "none",
      result: "exit",
      progress: "none",
      directory: null,
      environment: {},
      account: null,
      umask: 0o077,
      newPrivileges: false,
      killAfterMs: 5_000,
      output: { outputBytes: 262_144, outputLines: 2_000 },
      retryExitCodes: null,
    });
  });

  it.each([
    [
      "a program that is not there",
      { argv: ["/bin/nothing"] },
      /commands\.x\.argv\[0\]: \/bin\/nothing does not exist/,
    ],
    ["a directory as program", { argv: ["/bin"] }, /\/bin is no file/],

    ["a program that is searched", { argv: ["true"] }, /must be an absolute path[\s\S]*argv\[0\]/],
    ["a number as argument", { argv: ["/bin/true", 3] as never }, /numbers in quotes/],
    [
      "a program that the job chooses",
      { argv: ["/bin/{size}"], parameters: size },
      /a program is not chosen by a job/,
    ],
    ["no arguments at all", { argv: [] }, /commands\.x\.argv/],
    ["no organizations", { argv: ["/bin/true"], organizations: [] }, /commands\.x\.organizations/],
    [
      "an organization by name",
      { argv: ["/bin/true"], organizations: ["acme"] },
      /commands\.x\.organizations/,
    ],
    [
      "a place that is no parameter",
      { argv: ["/bin/true", "{siez}"], parameters: size },
      /commands\.x\.argv: "siez" is not among the properties of `parameters`: size/,
    ],
    [
      "a place that may stay empty",
      { argv: ["/bin/true", "{size}"], parameters: size },
      /\{size\} has neither a default nor is it required: write \{size\?\}/,
    ],
    [
      "a place of a job that there is not",
      { argv: ["/bin/true", "{job.token}"] },
      /\{job\.token\} is unknown/,
    ],
    [
      "a schema that is none",
      { argv: ["/bin/true"], parameters: { type: "object", properties: { a: { type: "text" } } } },
      /commands\.x\.parameters: is no JSON Schema/,
    ],
    [
      "a schema of no object",
      { argv: ["/bin/true"], parameters: { type: "array" } },
      /commands\.x\.parameters: must say type: object/,
    ],
    [
      "a dash allowed to nobody",
      { argv: ["/bin/true"], allow_leading_dash: ["size"] },
      /commands\.x\.allow_leading_dash: "size" is not among/,
    ],
    [
      "a directory that is not there",
      { argv: ["/bin/true"], directory: "/nothing" },
      /commands\.x\.directory: \/nothing does not exist/,
    ],
    [
      "a user that is not there",
      { argv: ["/bin/true"], user: "nobody-at-all" },
      /commands\.x\.user: /,
    ],
    [
      "a variable of ours",
      { argv: ["/bin/true"], environment: ["MILLRACE_RUNNER_TOKEN"] },
      /variables of Millrace are not given away/,
    ],
    [
      "a variable of ours set",
      { argv: ["/bin/true"], set: { MILLRACE_X: "1" } },
      /variables of Millrace are not given away/,
    ],
    ["a key that is misspelt", { argv: ["/bin/true"], dir: "/" }, /"dir"/],
    [
      "a time that is none",
      { argv: ["/bin/true"], timeout_seconds: "5s" },
      /commands\.x\.timeout_seconds/,
    ],
    [
      "a kill later than the server waits",
      { argv: ["/bin/true"], kill_after_seconds: 11 },
      /expected number to be <=10/,
    ],
    [
      "a umask that YAML took for a number",
      { argv: ["/bin/true"], umask: 27 },
      /octal digits in quotes/,
    ],
  ])("refuses %s, and names the place", (_what, given, message) => {
    expect(() => commandsFrom({ x: given })).toThrow(SettingsFault);
    expect(() => commandsFrom({ x: given })).toThrow(message);
  });

  it("refuses a program that may not be executed", () => {
    expect(() => commandsFrom({ x: { argv: [join(directory, "text")] } })).toThrow(
      /may not be executed/,
    );
  });

  it("refuses a name that no type could have", () => {
    expect(() => commandsFrom({ "a b": { argv: ["/bin/true"] } })).toThrow(/a command's name is/);
  });

  it("stops a runner before it starts", async () => {
    const path = join(directory, "runner.yaml");
    await writeFile(path, "commands:\n  x:\n    argv: [/bin/nothing]\n    organizations: '*'\n");
    const environment = { MILLRACE_RUNNER_TOKEN: "t", MILLRACE_RUNNER_CONFIG: path };
    expect(() => readRunnerConfig(environment)).toThrow(RunnerConfigFault);
    expect(() => readRunnerConfig(environment)).toThrow(/commands\.x\.argv\[0\]: \/bin\/nothing/);
    // What `millrace runner --check` reads.
    expect(() => readSandboxConfig(environment)).toThrow(/commands\.x\.argv\[0\]: \/bin\/nothing/);
  });
});

import { existsSync, writeFileSync } from "node:fs";
import { mkdir, mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";

import { afterAll, beforeAll, describe, expect, it } from "vitest";

import {
  endOf,
  messageOf,
  resultOf,
  shell,
  startCommands,
  type TestCommands,
} from "../../support/commands.ts";

const OTHER = "01981f4e-0000-7000-8000-000000000bad";

const anyInput = { type: "object" };
const code = {
  type: "object",
  properties: { code: { type: "integer" } },
  required: ["code"],
  additionalProperties: false,
};

let commands: TestCommands;
let place: string;

beforeAll(async () => {
  place = await mkdtemp(join(tmpdir(), "commands-"));
  await mkdir(join(place, "work"));
  await writeFile(join(place, "gone"), "#!/bin/nowhere\n", { mode: 0o755 });
  commands = await startCommands(
    {
      echo: {
        argv: ["/bin/echo", "{text}", "{job.id}", "{job.attempt}"],
        parameters: {
          type: "object",
          properties: { text: { type: "string", default: "nothing" } },
          additionalProperties: false,
        },
      },
      both: {
        argv: shell(
          "echo one; echo two >&2; until [ -e go ]; do sleep 0.01; done; echo three; printf four >&2",
        ),
        directory: join(place, "work"),
      },
      exit: { argv: shell("echo because >&2; exit $1", "{code}"), parameters: code },
      picky: {
        argv: shell("exit $1", "{code}"),
        parameters: code,
        success_exit_codes: [0, 3],
        retry_exit_codes: [75],
      },
      signal: { argv: shell("kill -SEGV $$") },
      env: {
        argv: ["/usr/bin/env"],
        environment: ["GREETING", "ABSENT"],
        set: { MODE: "test" },
      },
      here: { argv: shell("pwd; umask; touch left") },
      there: { argv: ["/bin/pwd"], directory: join(place, "work") },
      cat: { argv: ["/bin/cat"], stdin: "input", result: "stdout-json", parameters: anyInput },
      deaf: { argv: ["/bin/true"], stdin: "input", parameters: anyInput },
      json: {
        argv: shell('echo note >&2; printf %s "$1"', "{text}"),
        result: "stdout-json",
        parameters: {
          type: "object",
          properties: { text: { type: "string" } },
          required: ["text"],
        },
      },
      endless: { argv: ["/usr/bin/yes"], result: "stdout-json" },
      many: {
        argv: ["/bin/echo", "{all...}"],
        parameters: { type: "object", properties: { all: { type: "array" } } },
      },
      quiet: { argv: ["/bin/true"], result: "none" },
      steps: {
        argv: shell("echo ::progress 1/2 half; echo ::progress 2/2; echo '::progress x'"),
        progress: "lines",
      },
      flood: { argv: shell("yes | head -c 5000000; echo end >&2"), output: { max_lines: 100 } },
      busy: { argv: shell("i=0; while [ $i -lt 200000 ]; do i=$((i+1)); done") },
      broken: { argv: [join(place, "gone")] },
      vanished: { argv: ["/bin/true"], directory: join(place, "work") },
      open: { argv: ["/bin/true"], organizations: "*" },
      gains: { argv: ["/bin/grep", "NoNewPrivs", "/proc/self/status"], new_privileges: true },
      plain: { argv: ["/bin/grep", "NoNewPrivs", "/proc/self/status"] },
      nobody: { argv: shell("id -u; id -g; id -G; touch mine"), user: "65534:65534" },
    },
    { GREETING: "hello", MILLRACE_RUNNER_TOKEN: "secret", PATH: "/bin" },
  );
});

afterAll(async () => {
  await commands.stop();
  await rm(place, { recursive: true });
});

describe("a command", () => {
  it("gets its arguments, and its result is the exit code", async () => {
    const ran = await commands.run("echo", { input: { text: "a  b" } });
    expect(ran.output).toEqual(["STDOUT a  b job-1 1"]);
    expect(resultOf(ran)).toEqual({ exit_code: 0 });
  });

  it("takes null for an input without anything", async () => {
    const ran = await commands.run("echo", { input: null });
    expect(ran.output).toEqual(["STDOUT nothing job-1 1"]);
  });

  it("may have no result", async () => {
    expect(resultOf(await commands.run("quiet"))).toBeNull();
  });

  it("is not started with an input that does not fit, which is told with its path", async () => {
    const ran = await commands.run("echo", { input: { text: 1, more: true } });
    expect(endOf(ran)).toBe("input.invalid");
    expect(messageOf(ran).split("\n").toSorted()).toEqual([
      "input/more: is not a known parameter.",
      "input/text: must be string.",
    ]);
    expect(ran.ending).toMatchObject({ error: { retryable: false } });
    const nul = await commands.run("echo", { input: { text: "a\0" } });
    expect(messageOf(nul)).toBe("input/text: must not hold a NUL.");
    const option = await commands.run("echo", { input: { text: "-n" } });
    expect(messageOf(option)).toContain("input/text: must not begin with a dash");
    expect(messageOf(await commands.run("echo", { input: [1] }))).toBe("input: must be object.");
    const many = await commands.run("many", { input: { all: Array<string>(25).fill("-") } });
    expect(messageOf(many)).toMatch(/^input\/all\/19: must not .*\nand 5 more$/m);
  });

  it("is refused to organizations that are not named, whatever they send", async () => {
    for (const input of [{}, { text: 1 }]) {
      const ran = await commands.run("echo", { organizationId: OTHER, input });
      expect(endOf(ran)).toBe("command.not_allowed");
      expect(ran.output).toEqual([]);
    }
    expect(endOf(await commands.run("open", { organizationId: OTHER }))).toBe("succeeded");
  });
});

describe("the output of a command", () => {
  it("comes while it runs, each stream in its order, the last line without a newline too", async () => {
    const seen = new Set<string>();
    const ran = await commands.run("both", {
      onOutput: (row) => {
        seen.add(row);
        // It goes on only after these two have been seen.
        if (seen.size === 2) writeFileSync(join(place, "work", "go"), "");
      },
    });
    const of = (stream: string) => ran.output.filter((row) => row.startsWith(stream));
    expect(of("STDOUT")).toEqual(["STDOUT one", "STDOUT three"]);
    expect(of("STDERR")).toEqual(["STDERR two", "STDERR four"]);
    expect(ran.output.slice(0, 2).toSorted()).toEqual(["STDERR two", "STDOUT one"]);
  });

  it("tells progress by lines that are no output then", async () => {
    const ran = await commands.run("steps");
    expect(ran.progress.map(({ fraction, message }) => [fraction, message])).toEqual([
      [0.5, "half"],
      [1, ""],
    ]);
    expect(ran.output).toEqual(["STDOUT ::progress x"]);
  });

  it("is dropped after its caps while the program runs on", async () => {
    const ran = await commands.run("flood");
    expect(resultOf(ran)).toEqual({ exit_code: 0 });
    // The one too many is what the outbox makes a notice of.
    expect(ran.output).toHaveLength(101);
  });

  it("is the result, if the operator says so", async () => {
    const ran = await commands.run("cat", { input: { a: ["ü", 1e20] } });
    expect(resultOf(ran)).toEqual({ a: ["ü", 1e20] });
    expect(ran.output).toEqual([]);
    expect((await commands.run("json", { input: { text: "1" } })).output).toEqual(["STDERR note"]);
  });

  it("is no result if it is no JSON, nested too deeply, or too large", async () => {
    for (const text of ["", "{", "1 2", `${"[".repeat(31)}${"]".repeat(31)}`]) {
      expect(endOf(await commands.run("json", { input: { text } }))).toBe(
        "result.not_serialisable",
      );
    }
    expect(endOf(await commands.run("endless"))).toBe("result.too_large");
  });
});

describe("the end of a command", () => {
  it("is a failure with its code and its last words, unless the code is a success", async () => {
    const ran = await commands.run("exit", { input: { code: 9 } });
    expect(ran.ending).toMatchObject({
      error: { code: "command.exit", retryable: true },
    });
    expect(messageOf(ran)).toBe("the command ended with exit code 9: because");
    expect(resultOf(await commands.run("picky", { input: { code: 3 } }))).toEqual({ exit_code: 3 });
  });

  it("is tried again for the exit codes that the operator names", async () => {
    const again = await commands.run("picky", { input: { code: 75 } });
    expect(again.ending).toMatchObject({ error: { code: "command.exit", retryable: true } });
    const never = await commands.run("picky", { input: { code: 1 } });
    expect(never.ending).toMatchObject({ error: { code: "command.exit", retryable: false } });
  });

  it("names the signal that it died of", async () => {
    const ran = await commands.run("signal");
    expect(endOf(ran)).toBe("command.signal");
    expect(messageOf(ran)).toContain("SIGSEGV");
  });

  it("is told apart from a start that failed", async () => {
    const ran = await commands.run("broken");
    expect(endOf(ran)).toBe("command.not_started");
    expect(messageOf(ran)).toContain("gone");
    await rm(join(place, "work"), { recursive: true });
    expect(endOf(await commands.run("vanished"))).toBe("command.not_started");
    await mkdir(join(place, "work"));
  });

  it("does not wait for an input to be read", async () => {
    const ran = await commands.run("deaf", { input: { long: "x".repeat(500_000) } });
    expect(endOf(ran)).toBe("succeeded");
  });
});

describe("what a command finds", () => {
  it("is the environment that its operator names and nothing more", async () => {
    const { output } = await commands.run("env");
    expect(output.map((row) => row.replace(/=\/.*/, "=…")).toSorted()).toEqual([
      "STDOUT GREETING=hello",
      "STDOUT MODE=test",
      "STDOUT TMPDIR=…",
    ]);
  });

  it("is an empty directory, which is removed with what it left there, or the one configured", async () => {
    const [directory, umask] = (await commands.run("here")).output;
    expect(directory).toContain("millrace-command-");
    expect(umask).toBe("STDOUT 0077");
    expect(existsSync(directory?.slice("STDOUT ".length) ?? "")).toBe(false);
    expect((await commands.run("there")).output).toEqual([`STDOUT ${join(place, "work")}`]);
  });

  it.runIf(process.platform === "linux")(
    "are no new privileges, unless they are allowed",
    async () => {
      expect((await commands.run("plain")).output[0]).toMatch(/1$/);
      expect((await commands.run("gains")).output[0]).toMatch(/0$/);
    },
  );

  it.runIf(process.getuid?.() === 0)("is the user that its operator names", async () => {
    const ran = await commands.run("nobody");
    expect(ran.output).toEqual(["STDOUT 65534", "STDOUT 65534", "STDOUT 65534"]);
    expect(resultOf(ran)).toEqual({ exit_code: 0 });
  });

  it.runIf(process.platform === "linux")("is measured", async () => {
    const { ending } = await commands.run("busy");
    expect(ending.cpuMs).toBeGreaterThan(0);
    expect(ending.peakMemoryBytes).toBeGreaterThan(500_000);
  });
});

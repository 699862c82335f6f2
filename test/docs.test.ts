import { readdir, readFile } from "node:fs/promises";
import { join } from "node:path";

import { codeToString } from "@connectrpc/connect/protocol-connect";
import { describe, expect, it } from "vitest";
import { parse } from "yaml";

import { COMMAND_KEYS } from "../runner/commands/settings.ts";
import { renderTelemetry } from "../scripts/render-telemetry.ts";
import { CODES } from "../src/api/errors.ts";
import { VARIABLES } from "../src/config.ts";
import { AUDIT_ACTIONS } from "../src/jobs/audit.ts";
import { REASONS } from "../src/jobs/errors.ts";
import { PROMISES } from "./simulation/promises.ts";

const root = join(import.meta.dirname, "..");

const page = async (name: string): Promise<string> =>
  await readFile(join(root, "docs", name), "utf8");

const rowsOf = (text: string): string[][] =>
  text
    .split("\n")
    .filter((line) => line.startsWith("| `"))
    .map((line) =>
      line
        .split("|")
        .slice(1, -1)
        .map((cell) => cell.trim().replaceAll("`", "")),
    );

const sources = async (): Promise<string> => {
  const names = await Promise.all(
    ["src", "runner"].map(async (folder) => {
      const found = await readdir(join(root, folder), { recursive: true });
      return found.filter((name) => name.endsWith(".ts")).map((name) => join(root, folder, name));
    }),
  );
  const texts = await Promise.all(names.flat().map(async (name) => await readFile(name, "utf8")));
  return texts.join("\n");
};

const namesIn = (text: string): Set<string> =>
  new Set(text.match(/\b(MILLRACE|MYSQL)_[A-Z_]*[A-Z]\b/g) ?? []);

describe("docs/errors.md", () => {
  it("lists every reason once, in order, with its code", async () => {
    const [reasons = ""] = (await page("errors.md")).split("## Why a job failed");
    const listed = rowsOf(reasons).map(([reason, code]) => [reason, code]);
    const spelled = (reason: (typeof REASONS)[number]) => codeToString(CODES[reason]).toUpperCase();
    expect(listed).toEqual(REASONS.map((reason) => [reason, spelled(reason)]));
  });
});

describe("docs/errors.md", () => {
  it("lists every code with which a job can fail", async () => {
    const code = await Promise.all(
      ["runner/failures.ts", "src/jobs/attempt-end.ts", "src/jobs/transitions.ts"].map(
        async (name) => await readFile(join(root, name), "utf8"),
      ),
    );
    const codes = code.join("\n").match(/"[a-z]+\.[a-z_]+"|^  memory(?=:)/gm) ?? [];
    const listed = rowsOf(await page("errors.md")).map(([name]) => name);
    expect(codes.length).toBeGreaterThan(5);
    expect(listed).toEqual(
      expect.arrayContaining(codes.map((one) => one.trim().replaceAll('"', ""))),
    );
  });
});

describe("docs/commands.md", () => {
  it("lists every key of a command", async () => {
    const [keys = ""] = (await page("commands.md")).split("### Arguments");
    expect(rowsOf(keys).map(([key]) => key)).toEqual(
      expect.arrayContaining([...COMMAND_KEYS]) as string[],
    );
    expect(rowsOf(keys)).toHaveLength(COMMAND_KEYS.length);
  });

  it("lists every code with which a command can fail", async () => {
    const files = ["runner/commands/outcome.ts", "runner/input-faults.ts"];
    const texts = await Promise.all(files.map((file) => readFile(join(root, file), "utf8")));
    const codes = [...new Set(texts.join("\n").match(/"[a-z]+\.[a-z_]+"/g))].map((one) =>
      one.slice(1, -1),
    );
    const [, failures = ""] = (await page("commands.md")).split("### When a command fails");
    expect(
      rowsOf(failures)
        .map(([name = ""]) => name)
        .toSorted(),
    ).toEqual(codes.toSorted());
  });

  it("shows the example as it is", async () => {
    const example = await readFile(join(root, "examples/commands/runner.yaml"), "utf8");
    const [, shown = ""] =
      /```yaml\n(# examples\/commands\/runner[^`]*)```/.exec(await page("commands.md")) ?? [];
    expect(parse(shown)).toEqual(parse(example));
  });
});

describe("docs/configuration.md", () => {
  it("lists every variable of the server", async () => {
    const listed = rowsOf(await page("configuration.md")).map(([name]) => name);
    expect(listed).toEqual(expect.arrayContaining(Object.keys(VARIABLES)));
  });

  it("lists every variable that the code names, and none that it does not", async () => {
    const listed = namesIn(await page("configuration.md"));
    expect([...listed].toSorted()).toEqual([...namesIn(await sources())].toSorted());
  });
});

describe("docs/telemetry.md", () => {
  it("has the instruments as the code has them", async () => {
    const text = await page("telemetry.md");
    expect(text).toBe(renderTelemetry(text));
  });
});

describe("docs/audit.md", () => {
  it("explains every action once, in order", async () => {
    const [, actions = ""] = (await page("audit.md")).split("| Action | Means |");
    expect(rowsOf(actions).map(([action]) => action)).toEqual([...AUDIT_ACTIONS]);
  });
});

describe("docs/guarantees.md", () => {
  it("names what the simulator checks, in its order", async () => {
    const [simulated = ""] = (await page("guarantees.md")).split("## Checked elsewhere");
    const listed = simulated
      .split("\n")
      .filter((line) => line.startsWith("| ") && !/^\| (Promise|-)/.test(line))
      .map((line) => line.split("|")[1]?.trim());
    expect(listed).toEqual([...PROMISES]);
  });

  it("names tests that are there", async () => {
    const named = (await page("guarantees.md")).match(/test\/[a-z0-9/.-]+\.test\.ts/g) ?? [];
    expect(named.length).toBeGreaterThan(4);
    for (const name of named) await readFile(join(root, name), "utf8");
  });
});

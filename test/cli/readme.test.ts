import { access, readFile } from "node:fs/promises";
import path from "node:path";

import { Command } from "commander";
import { expect, test } from "vitest";

import { commandsFor } from "../../src/cli/commands.ts";
import type { Shell } from "../../src/cli/shell.ts";

const ROOT = path.resolve(import.meta.dirname, "../..");

const read = async (file: string): Promise<string> => await readFile(path.join(ROOT, file), "utf8");

/** Every command that the program knows, as it is typed: `job submit`. */
const commandNames = async (): Promise<string[]> => {
  const program = new Command("millrace");
  const names = (command: Command, before: string): string[] =>
    command.commands.flatMap((each) => {
      const name = `${before}${each.name()}`;
      return each.commands.length === 0 ? [name] : names(each, `${name} `);
    });
  // Registering a command touches nothing of the shell.
  for (const register of await commandsFor([]))
    register(program, {} as Shell, (work) => work as never);
  return names(program, "");
};

test("the README's two lines are those of continuous integration and of package.json", async () => {
  const [readme, run, packageFile] = await Promise.all([
    read("README.md"),
    read(".ci/run"),
    read("package.json"),
  ]);
  expect(readme).toContain("npm ci && npm run demo ");
  expect(readme).toContain("npm ci && npm test ");
  expect(run).toContain("npm ci && npm test)");
  const { scripts } = JSON.parse(packageFile) as { scripts: Record<string, string> };
  for (const [, script = ""] of readme.matchAll(/npm run ([\w:-]+)/g)) {
    expect(Object.keys(scripts)).toContain(script);
  }
});

test.each([
  "README.md",
  "docs/cli.md",
  "docs/approval.md",
  "docs/identity.md",
  "docs/schedules.md",
  "docs/types.md",
  "docs/external-jobs.md",
  "docs/audit.md",
])("every command in %s exists", async (file) => {
  const [text, names] = [await read(file), await commandNames()];
  const groups = names.filter((name) => name.includes(" ")).map((name) => name.split(" ")[0]);
  const command = new RegExp(`\\bmillrace ((?:${groups.join("|")}) [\\w-]+|[a-z]+)`, "g");
  const typed = [...text.matchAll(command)];
  expect(typed.length).toBeGreaterThan(1);
  for (const [, name = ""] of typed) {
    // A group within a group is named by its members.
    expect(names.find((known) => known === name || known.startsWith(`${name} `))).toBeDefined();
  }
});

test("docs/cli.md knows every command", async () => {
  const text = await read("docs/cli.md");
  for (const name of await commandNames()) {
    const [group = "", verb] = name.split(" ");
    expect(text, name).toMatch(
      verb === undefined ? `millrace ${group}` : new RegExp(`millrace ${group} [^|]*\\b${verb}\\b`),
    );
  }
});

test.each(["README.md", "docs/cli.md", "CHANGELOG.md"])(
  "every link of %s leads somewhere",
  async (file) => {
    const text = await read(file);
    const links = [...text.matchAll(/\]\((?!https?:)([^)#]+)/g)].map((match) => match[1] ?? "");
    for (const link of links) {
      await expect(
        access(path.join(ROOT, path.dirname(file), link)),
        link,
      ).resolves.toBeUndefined();
    }
  },
);

test("docs/dependencies.md gives a reason for every package, and for no other", async () => {
  const [text, packageFile] = await Promise.all([
    read("docs/dependencies.md"),
    read("package.json"),
  ]);
  const { dependencies, devDependencies } = JSON.parse(packageFile) as Record<
    "dependencies" | "devDependencies",
    Record<string, string>
  >;
  const names = Object.keys({ ...dependencies, ...devDependencies });
  const cells = text
    .split("\n")
    .flatMap((line) => (line.startsWith("| `") ? [line.split("|")[1] ?? ""] : []));
  const listed = cells.flatMap((cell) =>
    [...cell.matchAll(/`([^`]+)`/g)].map((match) => match[1] ?? ""),
  );
  // Names within one row may leave out the scope that they share.
  const known = new Set(listed.flatMap((name) => [name, `@opentelemetry/${name}`]));
  expect(names.filter((name) => !known.has(name))).toEqual([]);
  expect(
    listed.filter((name) => !names.includes(name) && !names.includes(`@opentelemetry/${name}`)),
  ).toEqual([]);
});

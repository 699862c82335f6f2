import { mkdir, mkdtemp, rm, symlink, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import path from "node:path";

import { afterAll, beforeAll, beforeEach, describe, expect, it } from "vitest";

import { runCliHere } from "../support/cli-here.ts";
import { startTestServer, type TestServer } from "../support/server.ts";

const EXAMPLES = path.resolve(import.meta.dirname, "../../examples/types");

let server: TestServer;
let root: string;
let folder: string;

beforeAll(async () => {
  server = await startTestServer();
  root = await mkdtemp(path.join(tmpdir(), "millrace-types-"));
});
afterAll(async () => {
  await server.stop();
  await rm(root, { recursive: true, force: true });
});
beforeEach(async () => {
  folder = await mkdtemp(path.join(root, "types-"));
});

const cli = async (...args: string[]) =>
  await runCliHere(args, { MILLRACE_URL: server.publicUrl, MILLRACE_TOKEN: server.admin.token });
const write = async (files: Readonly<Record<string, string>>): Promise<void> => {
  for (const [file, text] of Object.entries(files)) {
    await mkdir(path.dirname(path.join(folder, file)), { recursive: true });
    await writeFile(path.join(folder, file), text);
  }
};
const names = async (): Promise<string[]> => {
  const { jobTypes } = await server.types.listJobTypes({ pageSize: 1_000 });
  return jobTypes.map(({ spec }) => spec?.name ?? "");
};

describe("millrace types apply", () => {
  it("makes the types of a folder, and finds nothing to do the second time", async () => {
    const dry = await cli("types", "apply", EXAMPLES, "--dry-run");
    expect(dry).toMatchObject({
      code: 0,
      stdout: "would create approve-invoice, version 1\nwould create greet, version 1\n",
    });
    expect(await names()).toEqual(["idle"]);
    expect((await cli("types", "apply", EXAMPLES)).stdout).toBe(
      "created approve-invoice, version 1\ncreated greet, version 1\n",
    );
    const again = await cli("types", "apply", EXAMPLES, "--output", "json");
    expect(JSON.parse(again.stdout)).toEqual({
      dryRun: false,
      types: [
        { name: "approve-invoice", file: "approve-invoice.json", fate: "unchanged", version: 1 },
        { name: "greet", file: "greet.yaml", fate: "unchanged", version: 1 },
      ],
    });
    const { jobType } = await server.types.getJobType({ name: "greet" });
    expect(jobType?.spec).toMatchObject({
      work: { case: "script", value: { language: 2 } },
      inputSchema: { required: ["name"] },
      defaults: { attemptTimeout: { seconds: 5n }, retryPolicy: { maxRetries: 1 } },
      maxRunning: 2,
    });
  });

  it("makes a version of what changed, and leaves the others", async () => {
    await write({ "a.yaml": "handler: {}", "sub/b.json": '{"name": "bee", "handler": {}}' });
    await cli("types", "apply", folder);
    await write({
      "a.yaml": "handler: { name: other }\n",
      "sub/b.json": '{"name": "bee", "handler": {}, "maxRunning": 4}',
    });
    expect((await cli("types", "apply", folder)).stdout).toBe(
      "made version 2 of a\nchanged the limit of bee\n",
    );
    expect((await cli("types", "apply", folder)).stdout).toBe(
      "left a at version 2\nleft bee at version 1\n",
    );
  });

  it("tells every fault of every file with its line, and writes nothing", async () => {
    const before = await names();
    await write({
      "a.good.yaml": "handler: {}\n",
      "b.yaml": "name: b\nhandler: {}\ndefaults:\n  labels:\n    ok: fine\n  priority: 1000\n",
      "c.json":
        '{\n  "handler": {},\n  "inputSchema": {\n    "type": "object",\n    "properties": { "x": { "type": "txt" } }\n  }\n}\n',
      "d.yaml": "script: { file: d.ts }\ninputSchemaFile: d.schema.yaml\n",
      "d.ts": "const a = 1;\nexport default = 3;\n",
      "d.schema.yaml": "type: object\nproperties:\n  a:\n    minimum: none\n",
    });
    const told = await cli("types", "apply", folder);
    expect(told.code).toBe(2);
    const lines = told.stderr.split("\n").map((line) => line.trim());
    expect(lines).toContain("b.yaml:6: defaults.priority must be -100 to 100; it is 1000.");
    expect(
      lines.filter((line) => line.startsWith("c.json:5: input_schema/properties/x/type")),
    ).not.toEqual([]);
    expect(told.stderr).toMatch(/d\.ts: script\.source has a syntax error at line 2, column 16/);
    expect(await names()).toEqual(before);
  });

  it("tells what cannot be read at all before it asks the server", async () => {
    await write({
      "a.yaml": "handler: {}\nhandler: {}\n",
      "b.yaml": "handler: {}\ncolour: red\n",
      "c.yaml": "- a list\n",
      "e.yaml": "script:\n  file: missing.ts\n",
      "f.yaml": "name: b\nhandler: {}\n",
      "g.yaml": "handler: {}\ninputSchemaFile: f.yaml\n",
      "h.yaml":
        "a: &a [1, 1, 1, 1, 1, 1, 1, 1, 1]\nb: &b [*a, *a, *a, *a, *a, *a, *a]\nc: &c [*b, *b, *b, *b, *b]\nd: [*c, *c, *c, *c]\n",
    });
    const told = await cli("types", "apply", folder, "--url", "http://127.0.0.1:9");
    expect(told.code).toBe(2);
    expect(told.stderr).toContain("a.yaml:2: Map keys must be unique");
    expect(told.stderr).toMatch(/b\.yaml:2: .*"colour" is unknown/);
    expect(told.stderr).toContain("c.yaml:1: is no type");
    expect(told.stderr).toContain("e.yaml:2: missing.ts cannot be read (ENOENT).");
    expect(told.stderr).toContain("f.yaml:1: the type b stands in b.yaml already.");
    expect(told.stderr).toContain("g.yaml:2: inputSchemaFile is the path of a file *.schema.json");
    expect(told.stderr).toContain("h.yaml: Excessive alias count");
  });

  it("follows no path out of the folder, neither by name nor by link", async () => {
    await writeFile(path.join(root, "secret.ts"), "export default 'secret'");
    await write({
      "a.yaml": "script: { file: ../secret.ts }\n",
      "b.yaml": `script: { file: ${path.join(root, "secret.ts")} }\n`,
      "c.yaml": "script: { file: link.ts }\n",
      "d.yaml": "script: { file: linked/secret.ts }\n",
    });
    await symlink(path.join(root, "secret.ts"), path.join(folder, "link.ts"));
    await symlink(root, path.join(folder, "linked"));
    const { code, stderr } = await cli("types", "apply", folder);
    expect(code).toBe(2);
    expect(stderr.match(/leads out of|cannot be read/g)).toHaveLength(4);
    expect(stderr).not.toContain("export default");
  });

  it("says so if there is nothing to apply", async () => {
    expect((await cli("types", "apply", folder)).stderr).toContain("holds no types");
    const absent = await cli("types", "apply", path.join(folder, "absent"));
    expect(absent).toMatchObject({ code: 2, stderr: expect.stringContaining("ENOENT") });
  });
});

describe("millrace type", () => {
  it("puts one file, lists, shows, disables and enables", async () => {
    await write({
      "mail.yaml": "description: Sends it.\nhandler: { name: smtp }\n",
      "no.yaml": "x",
    });
    expect((await cli("type", "put", path.join(folder, "mail.yaml"))).stdout).toBe(
      "created mail, version 1\n",
    );
    expect((await cli("type", "list")).stdout).toMatch(
      /^mail +1 +enabled +handler smtp .*Sends it\.$/m,
    );
    expect((await cli("type", "versions", "mail")).stdout.split("\n")).toHaveLength(3);
    expect((await cli("type", "get", "mail")).stdout).toMatch(/^version +1 of 1$/m);
    expect((await cli("type", "disable", "mail")).stdout).toContain("takes no new jobs");
    const refused = await cli("job", "submit", "--type", "mail");
    expect(refused).toMatchObject({ code: 5, stderr: expect.stringContaining("type enable") });
    expect((await cli("type", "get", "mail", "--output", "json")).stdout).toContain(
      '"enabled":false',
    );
    expect((await cli("type", "enable", "mail")).code).toBe(0);
    expect((await cli("type", "resume", "mail")).code).toBe(0);
    expect((await cli("job", "submit", "--type", "mail", "--type-version", "1")).code).toBe(0);
    const unknown = await cli("type", "get", "nothing");
    expect(unknown.stderr).toContain("There is no job type nothing.\n`millrace type list` shows");
  });
});

describe("a server with MILLRACE_TYPES_DIR", () => {
  const startOn = async (databaseUrl: string, typesDir: string, organization: string) =>
    await startTestServer({
      databaseUrl,
      organization,
      environment: { MILLRACE_TYPES_DIR: typesDir, MILLRACE_TYPES_ORGANIZATION: "acme" },
    });

  it("has the types in place when it serves, once", async () => {
    const databaseUrl = `sqlite:${path.join(folder, "millrace.db")}`;
    await expect(startOn(databaseUrl, EXAMPLES, "acme")).rejects.toThrow(
      "There is no organization acme",
    );
    const first = await startTestServer({ databaseUrl });
    await first.stop();
    for (const organization of ["second", "third"]) {
      const later = await startOn(databaseUrl, EXAMPLES, organization);
      const { jobTypes } = await later.typesOf(first.admin).listJobTypes({});
      expect(jobTypes.map(({ spec, version }) => [spec?.name, version])).toEqual([
        ["approve-invoice", 1],
        ["greet", 1],
        ["idle", 1],
      ]);
      await later.stop();
    }
    await write({ "bad/a.yaml": "handler: {}\nmaxRunning: 0\n" });
    const bad = startOn(databaseUrl, path.join(folder, "bad"), "fourth");
    await expect(bad).rejects.toThrow("a.yaml:2: max_running must be 1 to 100000; it is 0.");
  });
});

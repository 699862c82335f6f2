import { toJson } from "@bufbuild/protobuf";
import { ValueSchema } from "@bufbuild/protobuf/wkt";
import path from "node:path";

import { afterAll, beforeAll, describe, expect, it } from "vitest";

import { JobState, ScriptLanguage } from "../../src/gen/millrace/v1/job_pb.ts";
import type { RunJobResponse } from "../../src/gen/millrace/v1/job_service_pb.ts";
import type { Service } from "../../src/runtime/lifecycle.ts";
import { runCliHere } from "../support/cli-here.ts";
import { ENGINES } from "../support/databases.ts";
import { runnerFor } from "../support/runner-under-test.ts";
import type { TestServer, TestUser } from "../support/server.ts";
import { startServerOn } from "../support/server-on.ts";

const EXAMPLE = path.resolve(import.meta.dirname, "../../examples/scripts/invoice");

describe.each(ENGINES)("scripts that import scripts, on %s", (engine) => {
  let server: TestServer;
  let runner: Service;
  let stranger: TestUser;
  beforeAll(async () => {
    server = await startServerOn(engine);
    const { internalUrl, runnerToken } = server;
    const scripts = { scripts: true, slots: 2 };
    runner = runnerFor({ url: () => internalUrl, token: runnerToken }, scripts);
    await runner.start();
    stranger = await server.addUser(await server.addOrganization(), ["admin"]);
  });
  afterAll(async () => {
    await runner.stop();
    await server.stop();
  });

  const put = async (name: string, source: string): Promise<void> => {
    const value = { source, language: ScriptLanguage.JAVASCRIPT };
    await server.types.putJobType({ spec: { name, work: { case: "script", value } } });
  };
  const run = async (source: string, by = server.admin): Promise<RunJobResponse> => {
    const work = { case: "script" as const, value: { source } };
    return await server.jobsOf(by).runJob({ submit: { spec: { work } } });
  };
  const valueOf = ({ job, result }: RunJobResponse): unknown => {
    expect(job).toMatchObject({ state: JobState.SUCCEEDED });
    return result === undefined ? undefined : toJson(ValueSchema, result);
  };

  it("the example's job imports a script and a library", async () => {
    const environment = { MILLRACE_URL: server.publicUrl, MILLRACE_TOKEN: server.admin.token };
    const applied = await runCliHere(["types", "apply", EXAMPLE], environment);
    expect(applied.stdout).toBe("created invoice, version 1\ncreated money, version 1\n");
    const input = JSON.stringify({ customer: "Ada", lines: [{ text: "gears", cents: 1_250 }] });
    const args = ["job", "submit", "--type", "invoice", "--input", input, "--wait"];
    const { stdout } = await runCliHere(args, environment);
    expect(stdout).toContain("€12.50");
  });

  it("the newest version counts, also of a type that is disabled, and older ones can be named", async () => {
    await put("lib", "export const v = 1");
    await put("lib", "export const v = 2");
    await server.types.setJobTypeEnabled({ name: "lib", enabled: false });
    const both =
      'import { v } from "script:lib"; import { v as first } from "script:lib@1"; export default () => [v, first]';
    expect(valueOf(await run(both))).toEqual([2, 1]);
    expect((await run('import "script:lib@3"; export default () => 1')).job).toMatchObject({
      state: JobState.FAILED,
      error: { code: "module.not_found" },
    });
  });

  it("a type that is no script is none to import", async () => {
    expect((await run('import "script:idle"; export default () => 1')).job).toMatchObject({
      error: {
        code: "module.not_found",
        message: expect.stringContaining('"script:idle"') as string,
      },
    });
  });

  it("another organization's script is not there, whether its name is known or not", async () => {
    await put("secret", "export const secret = 42");
    const source = 'import { secret } from "script:secret"; export default () => secret';
    expect(valueOf(await run(source))).toBe(42);
    for (const specifier of ["script:secret", "script:secret@1", "script:nobody"]) {
      const { job } = await run(source.replace("script:secret", specifier), stranger);
      expect(job).toMatchObject({ state: JobState.FAILED, error: { code: "module.not_found" } });
    }
    await server.typesOf(stranger).putJobType({
      spec: {
        name: "secret",
        work: { case: "script", value: { source: "export const secret = 'own'" } },
      },
    });
    expect(valueOf(await run(source, stranger))).toBe("own");
    expect(valueOf(await run(source))).toBe(42);
  });
});

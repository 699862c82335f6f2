import { readFile } from "node:fs/promises";
import path from "node:path";

import { toJson } from "@bufbuild/protobuf";
import { ValueSchema } from "@bufbuild/protobuf/wkt";
import { afterAll, beforeAll, describe, expect, it } from "vitest";

import { type Documents, startDocuments } from "../../examples/upstream/documents.ts";
import { parseSettings } from "../../runner/settings.ts";
import { JobState, ScriptLanguage } from "../../src/gen/millrace/v1/job_pb.ts";
import type { RunJobResponse } from "../../src/gen/millrace/v1/job_service_pb.ts";
import { MEMBER_PERMISSIONS } from "../../src/jobs/abilities.ts";
import type { Service } from "../../src/runtime/lifecycle.ts";
import { ENGINES } from "../support/databases.ts";
import { runnerFor } from "../support/runner-under-test.ts";
import type { TestServer, TestUser } from "../support/server.ts";
import { startServerOn } from "../support/server-on.ts";

const EXAMPLE = path.resolve(import.meta.dirname, "../../examples/scripts/documents.ts");
const SECRET = "a-secret-of-the-operator";

describe.each(ENGINES)("scripts that call another layer, on %s", (engine) => {
  let documents: Documents;
  let server: TestServer;
  let runner: Service;
  let clerk: TestUser;

  beforeAll(async () => {
    server = await startServerOn(engine);
    documents = await startDocuments(() => server.publicUrl);
    const settings = parseSettings(
      `
upstreams: { core: { url: ${documents.url}, token: job } }
secrets: { key: { value: ${SECRET}, upstreams: [core] } }`,
      "runner.yaml",
    );
    const { internalUrl, runnerToken } = server;
    runner = runnerFor(
      { url: () => internalUrl, token: runnerToken },
      { scripts: true, slots: 2, settings },
    );
    await runner.start();
    clerk = await server.addUser(server.admin.organizationId, MEMBER_PERMISSIONS);
  });
  afterAll(async () => {
    await runner.stop();
    await documents.close();
    await server.stop();
  });

  const run = async (source: string, runAs?: TestUser, title = ""): Promise<RunJobResponse> => {
    const value = { source, language: ScriptLanguage.TYPESCRIPT };
    const spec = {
      work: { case: "script" as const, value },
      runAs: runAs?.userId ?? "",
      input: {
        kind: {
          case: "structValue" as const,
          value: {
            fields: {
              title: { kind: { case: "stringValue" as const, value: title } },
            },
          },
        },
      },
      retryPolicy: { maxRetries: 0 },
    };
    return await server.jobs.runJob({ submit: { spec } });
  };

  const valueOf = ({ job, result }: RunJobResponse): unknown => {
    expect(job).toMatchObject({ state: JobState.SUCCEEDED });
    return result === undefined ? undefined : toJson(ValueSchema, result);
  };

  it("the other layer sees the operational user, and his token dies with the attempt", async () => {
    const source = await readFile(EXAMPLE, "utf8");
    expect(valueOf(await run(source, undefined, "Budget"))).toEqual({ titles: ["Budget"] });
    expect(valueOf(await run(source, clerk, "Minutes"))).toEqual({ titles: ["Minutes"] });
    expect(valueOf(await run(source, clerk, "More"))).toEqual({ titles: ["Minutes", "More"] });
    const authorization = `Bearer ${documents.lastToken()}`;
    const late = await fetch(`${documents.url}documents`, { headers: { authorization } });
    expect(late.status).toBe(401);
  });
});

import path from "node:path";

import { toJson } from "@bufbuild/protobuf";
import { durationFromMs, ValueSchema } from "@bufbuild/protobuf/wkt";
import { afterAll, beforeAll, describe, expect, it } from "vitest";

import { prepareCommands } from "../../runner/commands/prepare.ts";
import { readSettings } from "../../runner/settings.ts";
import { JobState, OutputStream } from "../../src/gen/millrace/v1/job_pb.ts";
import type { RunJobResponse } from "../../src/gen/millrace/v1/job_service_pb.ts";
import type { Service } from "../../src/runtime/lifecycle.ts";
import { runCliHere } from "../support/cli-here.ts";
import { commandsFrom, shell } from "../support/commands.ts";
import { ENGINES } from "../support/databases.ts";
import { runnerFor } from "../support/runner-under-test.ts";
import type { TestServer, TestUser } from "../support/server.ts";
import { startServerOn } from "../support/server-on.ts";

const EXAMPLE = path.resolve(import.meta.dirname, "../../examples/commands");

describe.each(ENGINES)("commands through the public API on %s", (engine) => {
  let server: TestServer;
  let runner: Service;
  let stranger: TestUser;

  beforeAll(async () => {
    server = await startServerOn(engine);
    stranger = await server.addUser(await server.addOrganization(), ["admin"]);
    const { internalUrl, runnerToken, admin } = server;
    const organizations = [admin.organizationId];
    const commands = [
      ...prepareCommands(readSettings(path.join(EXAMPLE, "runner.yaml")).commands, {}),
      ...commandsFrom({
        flood: {
          organizations,
          argv: shell(`printf 'a\\0\\377\\033[31m\\n'; yes | head -n 5000`),
          output: { max_lines: 1_500 },
        },
        second: {
          organizations,
          argv: shell(`echo "$1"; test "$1" = 2 || exit 75`, "{job.attempt}"),
        },
        slow: {
          organizations,
          progress: "lines",
          argv: shell("echo ::progress 1/4 waiting; exec sleep 1000"),
        },
      }),
    ];
    runner = runnerFor({ url: () => internalUrl, token: runnerToken }, { commands });
    await runner.start();
    for (const user of [admin, stranger]) {
      for (const name of ["flood", "second", "slow"]) {
        await server
          .typesOf(user)
          .putJobType({ spec: { name, work: { case: "command", value: {} } } });
      }
    }
  });
  afterAll(async () => {
    await runner.stop();
    await server.stop();
  });

  const work = (type: string) => ({ case: "type" as const, value: type });
  const run = async (type: string, by: TestUser = server.admin): Promise<RunJobResponse> => {
    const retryPolicy = { maxRetries: 1, initialBackoff: durationFromMs(1) };
    return await server.jobsOf(by).runJob({ submit: { spec: { work: work(type), retryPolicy } } });
  };

  it("the example counts lines, submitted from the command line", async () => {
    const environment = { MILLRACE_URL: server.publicUrl, MILLRACE_TOKEN: server.admin.token };
    const cli = async (...args: string[]) => await runCliHere(args, environment);
    const applied = await cli("types", "apply", path.join(EXAMPLE, "types"));
    expect(applied.stdout).toBe("created count-lines, version 1\n");
    const submit = ["job", "submit", "--type", "count-lines", "--watch", "--input"];
    const done = await cli(...submit, '{"files": ["passwd", "group"]}');
    expect(done.stdout).toMatch(/\d+ passwd\n +\d+ group\n +\d+ total/);
    const refused = await cli(...submit, '{"files": ["../root/secret"]}');
    expect(refused.code).not.toBe(0);
    expect(refused.stdout + refused.stderr).toContain("input.invalid");
    expect(refused.stdout + refused.stderr).toContain("input/files/0: must match pattern");
  });

  it("stores every row in its order, whatever bytes it has, up to the cap and one notice", async () => {
    const { job } = await run("flood");
    expect(job).toMatchObject({ state: JobState.SUCCEEDED });
    const jobId = job?.id ?? "";
    const first = await server.jobs.listJobOutput({ jobId, limit: 1_000 });
    const rest = await server.jobs.listJobOutput({ jobId, offset: 1_000n, limit: 1_000 });
    const rows = [...first.rows, ...rest.rows];
    expect(rows).toHaveLength(1_501);
    expect(rows.find(({ text }) => text.startsWith("a"))?.text).toBe("a\0\ufffd\u001b[31m");
    expect(rows.at(-1)).toMatchObject({
      stream: OutputStream.LOG,
      text: "output limit reached: the rest is dropped",
    });
  });

  it("is tried again, and tells its result", async () => {
    const { job, result } = await run("second");
    expect(job).toMatchObject({ state: JobState.SUCCEEDED, attempt: 2 });
    expect(result && toJson(ValueSchema, result)).toEqual({ exit_code: 0 });
  });

  it("is ended when its job is cancelled", async () => {
    const { job } = await server.jobs.submitJob({ spec: { work: work("slow") } });
    const id = job?.id ?? "";
    let asked = false;
    for await (const { job: now } of server.jobs.watchJob({ jobId: id })) {
      if (now?.progress?.message === "waiting" && !asked) {
        asked = true;
        expect(now.progress).toMatchObject({ fraction: 0.25, totalSteps: 4 });
        await server.jobs.cancelJob({ jobId: id });
      }
      if (now?.state === JobState.CANCELLED) break;
    }
  });

  it("is not done for another organization, which learns nothing else", async () => {
    const { job } = await run("second", stranger);
    expect(job).toMatchObject({
      state: JobState.FAILED,
      attempt: 1,
      error: {
        code: "command.not_allowed",
        message: "this organization may not use the command",
        stack: "",
      },
    });
  });
});

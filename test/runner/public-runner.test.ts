import { type JsonValue, toJson } from "@bufbuild/protobuf";
import { ValueSchema } from "@bufbuild/protobuf/wkt";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { z } from "zod";

import { valueOf } from "../../src/api/convert/json-value.ts";
import { type Job, JobState } from "../../src/gen/millrace/v1/job_pb.ts";
import { silentLog } from "../../src/runtime/log.ts";
import {
  type AttemptEnd,
  createRunner,
  defineHandler,
  type Handler,
  JobError,
  type Runner,
} from "../../runner/index.ts";
import { silentServer } from "../support/silent-server.ts";
import { startTestServer, type TestServer } from "../support/server.ts";

describe("a runner application", () => {
  let server: TestServer;
  const stack = new AsyncDisposableStack();

  beforeAll(async () => {
    server = await startTestServer({ handlers: ["letter", "parcel", "invoice", "mail"] });
    stack.defer(server.stop);
  });
  afterAll(async () => {
    await stack.disposeAsync();
  });

  const ends: AttemptEnd[] = [];
  const options = () => ({
    url: server.internalUrl,
    credential: server.runnerToken,
    drainSeconds: 0.1,
    log: silentLog,
    onAttemptEnd: (end: AttemptEnd) => {
      ends.push(end);
      throw new Error("of no concern to the job");
    },
  });

  const start = async (runner: Runner): Promise<void> => {
    stack.defer(runner.stop);
    await runner.start();
  };

  const run = async (type: string, input: JsonValue = null): Promise<[Job, JsonValue | null]> => {
    const { job, result } = await server.jobs.runJob({
      submit: {
        spec: {
          work: { case: "type", value: type },
          input: valueOf(JSON.stringify(input)),
          retryPolicy: { maxRetries: 1, initialBackoff: { nanos: 1_000_000 } },
        },
      },
    });
    if (job === undefined) throw new Error("no job");
    return [job, result === undefined ? null : toJson(ValueSchema, result)];
  };

  it("is given the jobs of its own handlers, and no others", async () => {
    const done: string[] = [];
    const doing = (name: string): Handler => ({
      execute: ({ type }) => {
        done.push(`${name} did ${type}`);
      },
    });
    await start(createRunner({ ...options(), handlers: { letter: doing("post") } }));
    await start(createRunner({ ...options(), handlers: { parcel: doing("courier") } }));
    const types = ["letter", "parcel", "letter", "parcel"];
    const jobs = await Promise.all(types.map(async (type) => (await run(type))[0]));
    expect(jobs.map(({ state }) => state)).toEqual(types.map(() => JobState.SUCCEEDED));
    expect(done.toSorted()).toEqual([
      "courier did parcel",
      "courier did parcel",
      "post did letter",
      "post did letter",
    ]);
  });

  it("gets an input that its schema has seen, and one that does not fit fails for good", async () => {
    const lines = z.array(z.object({ "a/b": z.number().positive() }));
    let runs = 0;
    const handlers = {
      invoice: defineHandler({
        input: z.object({ at: z.iso.date().transform((day) => new Date(day)), lines }),
        execute: (job) => {
          runs += 1;
          return { year: job.input.at.getUTCFullYear() };
        },
      }),
    };
    await start(createRunner({ ...options(), handlers }));
    const [good, result] = await run("invoice", { at: "2026-05-01", lines: [{ "a/b": 1 }] });
    expect([good.state, result]).toEqual([JobState.SUCCEEDED, { year: 2026 }]);
    const [bad] = await run("invoice", { at: 5, lines: [{ "a/b": 1 }, { "a/b": -1 }] });
    expect(bad).toMatchObject({
      state: JobState.FAILED,
      attempt: 1,
      error: { code: "input.invalid", retryable: false },
    });
    expect(bad.error?.message.split("\n").map((line) => line.split(": ")[0])).toEqual([
      "input/at",
      "input/lines/1/a~1b",
    ]);
    expect(runs).toBe(1);
  });

  it("skips steps that have ended, keeps what was thrown with its cause, and is told of each end", async () => {
    const sent: string[] = [];
    const refusal = new RangeError("mailbox full");
    const handlers = {
      mail: defineHandler({
        execute: async (job, ctx) => {
          const id = await ctx.step("send", () => {
            sent.push(job.id);
            return { id: sent.length };
          });
          await expect(ctx.step("send", () => 1)).rejects.toThrow("names are unique");
          if (job.attempt === 1) throw new Error("the line broke", { cause: refusal });
          throw new JobError("mail.rejected", `not ${id.id}`, { retryable: false });
        },
      }),
    };
    await start(createRunner({ ...options(), handlers }));
    ends.length = 0;
    const [job] = await run("mail");
    expect(sent).toEqual([job.id]);
    expect(job).toMatchObject({
      state: JobState.FAILED,
      attempt: 2,
      error: { code: "mail.rejected", message: "not 1", retryable: false },
    });
    const { attempts } = await server.jobs.listJobAttempts({ jobId: job.id });
    const [first] = attempts.toSorted((a, b) => a.attempt - b.attempt);
    expect(first?.error).toMatchObject({ code: "handler.threw", message: "the line broke" });
    expect(first?.error?.stack).toMatch(/^Error: the line broke\n.*public-runner\.test\.ts:/);
    expect(first?.error?.stack).toContain("\n[cause]: RangeError: mailbox full\n    at ");
    expect(ends).toMatchObject([
      {
        handler: "mail",
        jobId: job.id,
        attempt: 1,
        code: "handler.threw",
        error: { cause: refusal },
      },
      { attempt: 2, outcome: "failed", code: "mail.rejected", error: { name: "JobError" } },
    ]);
  });

  describe("starts and stops once", () => {
    const handlers = { letter: { execute: () => null } };
    const runnerWith = (facts: { readonly url?: string; readonly credential?: string }) =>
      createRunner({
        url: server.internalUrl,
        credential: server.runnerToken,
        handlers,
        log: silentLog,
        ...facts,
      });

    it("and whoever asks again waits for the same end", async () => {
      const runner = runnerWith({});
      await Promise.all([runner.start(), runner.start()]);
      await Promise.all([runner.stop(), runner.stop()]);
      await expect(runner.start()).rejects.toThrow("the runner was stopped: create another");
      await expect(runnerWith({}).stop()).resolves.toBeUndefined();
      const stopped = runnerWith({});
      await stopped.stop();
      await expect(stopped.start()).rejects.toThrow("the runner was stopped: create another");
    });

    it("but not without the right credential", async () => {
      const start = runnerWith({ credential: "mr_wrong" }).start();
      await expect(start).rejects.toThrow(`${server.internalUrl} refuses the credential`);
    });

    it("but not at a public listener", async () => {
      const start = runnerWith({ url: server.publicUrl }).start();
      await expect(start).rejects.toThrow("the internal listener of a server is needed");
    });

    it("and waits for a server no longer than it is told to", async () => {
      const url = "http://127.0.0.1:9";
      const stop = new AbortController();
      const starting = runnerWith({ url }).start({ signal: stop.signal });
      stop.abort(new Error("enough"));
      await expect(starting).rejects.toThrow("enough");
      const stuck = await silentServer();
      const waiting = runnerWith({ url: stuck.url }).start({ signal: stuck.heard });
      await expect(waiting).rejects.toThrow("it says nothing");
      stuck.stop();
      const lonely = runnerWith({ url });
      await Promise.all([
        expect(lonely.start()).rejects.toThrow("stopped before a server answered"),
        lonely.stop(),
      ]);
    });
  });
});

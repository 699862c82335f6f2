import { createClient } from "@connectrpc/connect";
import { createGrpcTransport } from "@connectrpc/connect-node";
import { afterAll, beforeAll, describe, expect, it } from "vitest";

import { JobState } from "../../src/gen/millrace/v1/job_pb.ts";
import {
  JobService,
  type WatchJobResponse,
  type WatchJobsResponse,
} from "../../src/gen/millrace/v1/job_service_pb.ts";
import { systemRandom } from "../../src/runtime/random.ts";
import { type CuttingProxy, startCuttingProxy } from "../support/cutting-proxy.ts";
import { ENGINES } from "../support/databases.ts";
import { createHandRunner, type HandRunner } from "../support/hand-runner.ts";
import { refusalOf, streamRefusalOf } from "../support/refusal.ts";
import { bearer, type TestServer } from "../support/server.ts";
import { startServerOn } from "../support/server-on.ts";

describe.each(ENGINES)("watching on %s", (engine) => {
  let server: TestServer;
  let proxy: CuttingProxy;

  beforeAll(async () => {
    server = await startServerOn(engine);
    proxy = await startCuttingProxy(server.publicUrl);
  });
  afterAll(async () => {
    await proxy.close();
    await server.stop();
  });

  const submitTo = async (type: string, labels: Record<string, string> = {}): Promise<string> => {
    const { job } = await server.jobs.submitJob({
      spec: { work: { case: "type", value: type }, labels },
    });
    return job?.id ?? "";
  };
  const aType = async (): Promise<string> => {
    const type = `t-${systemRandom.uuid()}`;
    await server.putHandlers([type]);
    return type;
  };
  const runnerOf = (type: string): HandRunner =>
    createHandRunner(server, { capabilities: [`handler:${type}`] });
  /** A client with a connection of its own, through the proxy. */
  const throughProxy = () =>
    createClient(
      JobService,
      createGrpcTransport({ baseUrl: proxy.url, interceptors: [bearer(server.admin.token)] }),
    );

  it("sends a snapshot at once, every change, and ends after the final state", async () => {
    const type = await aType();
    const jobId = await submitTo(type);
    const messages: WatchJobResponse[] = [];
    const first = Promise.withResolvers<void>();
    const watched = (async () => {
      for await (const message of server.jobs.watchJob({ jobId })) {
        messages.push(message);
        first.resolve();
      }
    })();
    await first.promise;
    const runner = runnerOf(type);
    const assignment = await runner.take();
    await runner.report(assignment, { progress: { fraction: 0.5, message: "half" } });
    await runner.print(assignment, "a", "b");
    await runner.succeed(assignment);
    await watched;
    expect(messages[0]?.job?.state).toBe(JobState.QUEUED);
    expect(messages.map(({ job }) => job?.progress?.fraction)).toContain(0.5);
    expect(messages.at(-1)?.job?.state).toBe(JobState.SUCCEEDED);
    expect(
      messages.flatMap(({ output }) => output.map(({ seq, text }) => `${seq}${text}`)),
    ).toEqual(["0a", "1b"]);
  });

  it("of an ended job sends all of it and ends", async () => {
    const type = await aType();
    const jobId = await submitTo(type);
    const runner = runnerOf(type);
    const assignment = await runner.take();
    for (let page = 0; page < 3; page += 1) {
      await runner.print(
        assignment,
        ...Array.from({ length: 700 }, (_, line) => `${page * 700 + line}`),
      );
    }
    await runner.succeed(assignment);
    const lines: string[] = [];
    let last: JobState | undefined;
    for await (const { job, output } of server.jobs.watchJob({ jobId })) {
      lines.push(...output.map(({ text }) => text));
      last = job?.state ?? last;
    }
    expect(lines).toEqual(Array.from({ length: 2_100 }, (_, line) => `${line}`));
    expect(last).toBe(JobState.SUCCEEDED);
    const states = [];
    for await (const { output } of server.jobs.watchJob({ jobId, skipOutput: true }))
      states.push(...output);
    expect(states).toEqual([]);
  });

  it("is taken up again where the connection broke, with nothing missed and nothing twice", async () => {
    const type = await aType();
    const jobId = await submitTo(type);
    const runner = runnerOf(type);
    const assignment = await runner.take();
    const seen: string[] = [];
    let breaks = 0;
    const watched = (async () => {
      const client = throughProxy();
      for (let resumeToken = ""; ;) {
        try {
          for await (const message of client.watchJob({ jobId, resumeToken })) {
            seen.push(...message.output.map(({ text }) => text));
            resumeToken = message.resumeToken;
          }
          return;
        } catch {
          breaks += 1;
        }
      }
    })();
    for (let line = 0; line < 100; line += 1) {
      await runner.print(assignment, `line ${line}`);
      if (line % 20 === 5) proxy.cut();
      if (line % 20 === 15) proxy.cutAfter(150);
    }
    await runner.succeed(assignment);
    await watched;
    expect(seen).toEqual(Array.from({ length: 100 }, (_, line) => `line ${line}`));
    expect(breaks).toBeGreaterThan(2);
  });

  it("resumed after the end sends only what was missed", async () => {
    const type = await aType();
    const jobId = await submitTo(type);
    const runner = runnerOf(type);
    const assignment = await runner.take();
    await runner.print(assignment, "before");
    let resumeToken = "";
    for await (const message of server.jobs.watchJob({ jobId })) {
      ({ resumeToken } = message);
      if (message.output.length > 0) break;
    }
    await runner.print(assignment, "after");
    await runner.succeed(assignment);
    const rest: WatchJobResponse[] = [];
    for await (const message of server.jobs.watchJob({ jobId, resumeToken })) {
      rest.push(message);
      ({ resumeToken } = message);
    }
    expect(rest.flatMap(({ output }) => output.map(({ text }) => text))).toEqual(["after"]);
    const nothing: WatchJobResponse[] = [];
    for await (const message of server.jobs.watchJob({ jobId, resumeToken })) nothing.push(message);
    expect(nothing).toMatchObject([{ heartbeat: true, output: [] }]);
  });

  it("refuses a token that was made up, or is of another job", async () => {
    const [jobId, other] = [await submitTo(await aType()), await submitTo(await aType())];
    const madeUp = server.jobs.watchJob({ jobId, resumeToken: "abc" });
    expect(await streamRefusalOf(madeUp)).toMatchObject({
      code: "InvalidArgument",
      fields: ["resume_token"],
    });
    let resumeToken = "";
    for await (const message of server.jobs.watchJob({ jobId: other })) {
      ({ resumeToken } = message);
      break;
    }
    expect(await streamRefusalOf(server.jobs.watchJob({ jobId, resumeToken }))).toMatchObject({
      reason: "INVALID_ARGUMENT",
    });
  });

  describe("all jobs of an organization", () => {
    /** Messages until `enough` holds of them. */
    const take = async (
      request: Parameters<TestServer["jobs"]["watchJobs"]>[0],
      enough: (messages: readonly WatchJobsResponse[]) => boolean,
      began: () => void = () => {},
    ): Promise<WatchJobsResponse[]> => {
      const stop = new AbortController();
      const messages: WatchJobsResponse[] = [];
      for await (const message of server.jobs.watchJobs(request, { signal: stop.signal })) {
        messages.push(message);
        began();
        if (enough(messages)) break;
      }
      stop.abort();
      return messages;
    };
    const idsOf = (messages: readonly WatchJobsResponse[]) =>
      messages.flatMap(({ jobs }) => jobs.map(({ id }) => id));
    const isComplete = (messages: readonly WatchJobsResponse[]) =>
      messages.some(({ snapshotComplete }) => snapshotComplete);

    it("begins with those that match, and goes on with each change", async () => {
      const labels = { group: systemRandom.uuid() };
      const before = await submitTo(await aType(), labels);
      await submitTo(await aType());
      const began = Promise.withResolvers<void>();
      const watched = take(
        { filter: { labels } },
        (messages) => idsOf(messages).length >= 3,
        began.resolve,
      );
      await began.promise;
      const after = await submitTo(await aType(), labels);
      await submitTo(await aType());
      await server.jobs.cancelJob({ jobId: before });
      const messages = await watched;
      expect(isComplete(messages)).toBe(true);
      expect(idsOf(messages)).toEqual([before, after, before]);
      expect(messages.at(-1)?.jobs[0]?.state).toBe(JobState.CANCELLED);
    });

    it("resumes with the latest state of everything that changed meanwhile", async () => {
      const filter = { labels: { group: systemRandom.uuid() } };
      const [kept, changed] = [
        await submitTo(await aType(), filter.labels),
        await submitTo(await aType(), filter.labels),
      ];
      const resumeToken = (await take({ filter }, isComplete)).at(-1)?.resumeToken ?? "";
      await server.jobs.cancelJob({ jobId: changed });
      const added = await submitTo(await aType(), filter.labels);
      const messages = await take({ filter, resumeToken }, (all) => idsOf(all).length >= 2);
      expect(idsOf(messages)).toEqual([changed, added]);
      expect(idsOf(messages)).not.toContain(kept);
    });

    it("leaves the snapshot out on request", async () => {
      const labels = { group: systemRandom.uuid() };
      await submitTo(await aType(), labels);
      const messages = await take({ filter: { labels }, skipSnapshot: true }, isComplete);
      expect(messages).toMatchObject([{ jobs: [], snapshotComplete: true }]);
    });

    it("refuses a token that was given out for another filter", async () => {
      const resumeToken =
        (await take({ skipSnapshot: true }, isComplete)).at(-1)?.resumeToken ?? "";
      const other = server.jobs.watchJobs({ filter: { type: "x" }, resumeToken });
      expect(await streamRefusalOf(other)).toMatchObject({ fields: ["resume_token"] });
    });

    it("through connections that break tells of every job in the end", async () => {
      const filter = { labels: { group: systemRandom.uuid() } };
      const latest = new Map<string, JobState>();
      const ids: string[] = [];
      const stop = new AbortController();
      const began = Promise.withResolvers<void>();
      const done = Promise.withResolvers<void>();
      const watched = (async () => {
        const client = throughProxy();
        for (let resumeToken = ""; ;) {
          try {
            for await (const message of client.watchJobs(
              { filter, resumeToken },
              { signal: stop.signal },
            )) {
              for (const { id, state } of message.jobs) latest.set(id, state);
              if (message.resumeToken !== "") resumeToken = message.resumeToken;
              began.resolve();
              if (
                latest.size === 30 &&
                [...latest.values()].every((state) => state === JobState.CANCELLED)
              ) {
                done.resolve();
              }
            }
          } catch {
            if (stop.signal.aborted) return;
          }
        }
      })();
      await began.promise;
      for (let count = 0; count < 30; count += 1) {
        ids.push(await submitTo(await aType(), filter.labels));
        if (count % 5 === 2) proxy.cut();
        await server.jobs.cancelJob({ jobId: ids.at(-1) ?? "" });
      }
      await done.promise;
      stop.abort();
      await watched;
      expect([...latest.keys()].toSorted()).toEqual(ids.toSorted());
    });
  });

  it("a job that is not there is refused like any read of it", async () => {
    const stream = server.jobs.watchJob({ jobId: systemRandom.uuid() });
    expect(await streamRefusalOf(stream)).toMatchObject({
      code: "NotFound",
      reason: "JOB_NOT_FOUND",
    });
    expect(await refusalOf(server.jobs.waitJob({ jobId: "" }))).toMatchObject({
      fields: ["job_id"],
    });
  });
});

import { MEMBER_PERMISSIONS } from "../../src/jobs/abilities.ts";
import { afterAll, beforeAll, describe, expect, it } from "vitest";

import { systemRandom } from "../../src/runtime/random.ts";
import { ENGINES } from "../support/databases.ts";
import { type Refusal, refusalOf, streamRefusalOf } from "../support/refusal.ts";
import type { TestServer, TestUser } from "../support/server.ts";
import { startServerOn } from "../support/server-on.ts";

describe.each(ENGINES)("who sees a job on %s", (engine) => {
  let server: TestServer;
  let owner: TestUser;
  let colleague: TestUser;
  let stranger: TestUser;
  let jobId: string;

  beforeAll(async () => {
    server = await startServerOn(engine);
    owner = await server.addUser(server.admin.organizationId, MEMBER_PERMISSIONS);
    colleague = await server.addUser(server.admin.organizationId, MEMBER_PERMISSIONS);
    stranger = await server.addUser(await server.addOrganization(), ["admin"]);
    const spec = { work: { case: "type" as const, value: "idle" } };
    const { job } = await server.jobsOf(owner).submitJob({ spec });
    jobId = job?.id ?? "";
  });
  afterAll(async () => {
    await server.stop();
  });

  /** How every method that names a job answers this user about that job. */
  const answersTo = async (user: TestUser, id: string): Promise<Refusal[]> => {
    const jobs = server.jobsOf(user);
    const request = { jobId: id };
    return await Promise.all([
      refusalOf(jobs.getJob(request)),
      refusalOf(jobs.getJobResult(request)),
      refusalOf(jobs.cancelJob(request)),
      refusalOf(jobs.retryJob(request)),
      refusalOf(jobs.listJobOutput(request)),
      refusalOf(jobs.listJobAttempts(request)),
      refusalOf(jobs.waitJob(request)),
      streamRefusalOf(jobs.watchJob(request)),
    ]);
  };
  const without = (id: string, answers: readonly Refusal[]): string =>
    JSON.stringify(answers).replaceAll(id, "<id>");

  it("its creator and an admin of the organization do", async () => {
    for (const user of [owner, server.admin]) {
      const jobs = server.jobsOf(user);
      expect((await jobs.getJob({ jobId })).job?.id).toBe(jobId);
      expect((await jobs.listJobs({})).jobs.map(({ id }) => id)).toContain(jobId);
    }
  });

  it("for another organization, and for a colleague, it is exactly as if it were not there", async () => {
    const absent = systemRandom.uuid();
    for (const user of [stranger, colleague]) {
      const hidden = await answersTo(user, jobId);
      expect(new Set(hidden.map(({ reason }) => reason))).toEqual(new Set(["JOB_NOT_FOUND"]));
      expect(without(jobId, hidden)).toBe(without(absent, await answersTo(user, absent)));
      const { jobs, total } = await server.jobsOf(user).listJobs({ includeTotal: true });
      expect({ jobs, total }).toEqual({ jobs: [], total: 0n });
    }
  });

  it("a watch of all jobs tells a colleague nothing of it", async () => {
    for (const user of [stranger, colleague]) {
      const stop = new AbortController();
      for await (const message of server.jobsOf(user).watchJobs({}, { signal: stop.signal })) {
        expect(message.jobs).toEqual([]);
        if (message.snapshotComplete) break;
      }
      stop.abort();
    }
  });

  it("the same job id may be chosen in two organizations", async () => {
    const spec = { work: { case: "type" as const, value: "idle" } };
    const { created } = await server.jobsOf(stranger).submitJob({ spec, jobId });
    expect(created).toBe(true);
    expect((await server.jobsOf(owner).getJob({ jobId })).job?.organizationId).toBe(
      owner.organizationId,
    );
  });

  it("a request id of one user is not another's key to his job", async () => {
    const spec = { work: { case: "type" as const, value: "idle" } };
    const requestId = systemRandom.uuid();
    await server.jobsOf(owner).submitJob({ spec, requestId });
    const again = server.jobsOf(colleague).submitJob({ spec, requestId });
    expect(await refusalOf(again)).toMatchObject({ reason: "REQUEST_ID_REUSED" });
    expect((await server.jobsOf(stranger).submitJob({ spec, requestId })).created).toBe(true);
  });
});

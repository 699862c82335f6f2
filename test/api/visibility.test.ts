import { afterAll, beforeAll, describe, expect, it } from "vitest";

import { createToken } from "../../src/identity/create-token.ts";
import { ABILITIES, MEMBER_PERMISSIONS } from "../../src/jobs/abilities.ts";
import { systemClock } from "../../src/runtime/clock.ts";
import { systemRandom } from "../../src/runtime/random.ts";
import { ENGINES } from "../support/databases.ts";
import { createHandRunner } from "../support/hand-runner.ts";
import { type Refusal, refusalOf, streamRefusalOf } from "../support/refusal.ts";
import type { TestServer, TestUser } from "../support/server.ts";
import { startServerOn } from "../support/server-on.ts";

const idle = { work: { case: "type" as const, value: "idle" } };

/** Who looks. The creator submits for the operational user; the organization's own token is nobody's. */
type Who = "creator" | "operational" | "admin" | "colleague" | "stranger" | "organization";
const EVERYBODY: readonly Who[] = [
  "creator",
  "operational",
  "admin",
  "colleague",
  "stranger",
  "organization",
];

/** The jobs, and who sees each (row C4). */
const SEEN_BY = {
  /** Submitted by the creator, for the operational user. */
  delegated: ["creator", "operational", "admin"],
  /** Submitted by the creator for himself. */
  own: ["creator", "admin"],
  /** Submitted by the organization's own token. */
  ownerless: ["admin"],
  /** Submitted by that token for the operational user. */
  commissioned: ["operational", "admin"],
} as const satisfies Record<string, readonly Who[]>;
type Which = keyof typeof SEEN_BY;
const JOBS = Object.keys(SEEN_BY) as Which[];

const sees = (who: Who, which: Which): boolean => (SEEN_BY[which] as readonly Who[]).includes(who);

describe.each(ENGINES)("who sees a job on %s", (engine) => {
  let server: TestServer;
  let people: Record<Who, Pick<TestUser, "token">>;
  let operational: TestUser;
  let ids: Record<Which, string>;

  const jobsOf = (who: Who) => server.jobsOf(people[who]);

  /** Submits one job of each sort. */
  const submitAll = async (): Promise<Record<Which, string>> => {
    const submit = async (who: Who, runAs = ""): Promise<string> =>
      (await jobsOf(who).submitJob({ spec: { ...idle, runAs } })).job?.id ?? "";
    return {
      delegated: await submit("creator", operational.userId),
      own: await submit("creator"),
      ownerless: await submit("organization"),
      commissioned: await submit("organization", operational.userId),
    };
  };

  beforeAll(async () => {
    server = await startServerOn(engine);
    const { organizationId } = server.admin;
    operational = await server.addUser(organizationId, MEMBER_PERMISSIONS);
    const { text: token } = await createToken(
      { identity: server.store.identity, clock: systemClock, random: systemRandom },
      {
        kind: "user",
        organizationId,
        userId: "",
        name: "organization",
        permissions: ABILITIES,
        expiresAt: null,
      },
    );
    people = {
      creator: await server.addUser(organizationId, ABILITIES),
      operational,
      admin: server.admin,
      colleague: await server.addUser(organizationId, [...ABILITIES, "job-read", "job-write"]),
      stranger: await server.addUser(await server.addOrganization(), ["admin"]),
      organization: { token },
    };
    await server.putHandlers(["idle", "secret"]);
    await server.putHandlers(["idle"], people.stranger);
    ids = await submitAll();
  });
  afterAll(async () => {
    await server.stop();
  });

  /** How every method that names a job answers about that job; null where it was not refused. */
  const answersTo = async (who: Who, jobId: string): Promise<(Refusal | null)[]> => {
    const jobs = jobsOf(who);
    const request = { jobId };
    const orNull = async (call: Promise<unknown>): Promise<Refusal | null> => {
      const outcome = await call.then(
        () => null,
        async (cause: unknown) => await refusalOf(Promise.reject(cause)),
      );
      return outcome;
    };
    const begun = async (): Promise<void> => {
      const stop = new AbortController();
      for await (const _message of jobs.watchJob(request, { signal: stop.signal })) break;
      stop.abort();
    };
    return await Promise.all([
      orNull(jobs.getJob(request)),
      orNull(jobs.getJobInput(request)),
      orNull(jobs.listJobOutput(request)),
      orNull(jobs.listJobAttempts(request)),
      orNull(jobs.waitJob({ ...request, maxWait: { seconds: 0n, nanos: 0 } })),
      orNull(begun()),
      orNull(jobs.getJobResult(request)),
      orNull(jobs.retryJob(request)),
    ]);
  };

  it.each(JOBS)("a job that is %s: those who may see it, by every method", async (which) => {
    for (const who of EVERYBODY.filter((one) => sees(one, which))) {
      const answers = await answersTo(who, ids[which]);
      expect(answers.slice(0, 6), who).toEqual([null, null, null, null, null, null]);
      expect(answers.slice(6).map((one) => one?.reason)).toEqual([
        "JOB_NOT_COMPLETED",
        "JOB_NOT_RETRYABLE",
      ]);
    }
  });

  it.each(JOBS)("a job that is %s: for all others it is as if it were not there", async (which) => {
    const jobId = ids[which];
    const without = (id: string, answers: unknown): string =>
      JSON.stringify(answers).replaceAll(id, "<id>");
    for (const who of EVERYBODY.filter((one) => !sees(one, which))) {
      const absent = systemRandom.uuid();
      const cancelOf = async (id: string): Promise<Refusal> =>
        await refusalOf(jobsOf(who).cancelJob({ jobId: id }));
      const watchOf = async (id: string): Promise<Refusal> =>
        await streamRefusalOf(jobsOf(who).watchJob({ jobId: id }));
      const hidden = [
        ...(await answersTo(who, jobId)),
        await cancelOf(jobId),
        await watchOf(jobId),
      ];
      const missing = [
        ...(await answersTo(who, absent)),
        await cancelOf(absent),
        await watchOf(absent),
      ];
      expect(new Set(hidden.map((one) => one?.reason)), who).toEqual(new Set(["JOB_NOT_FOUND"]));
      expect(without(jobId, hidden)).toBe(without(absent, missing));
    }
  });

  it("lists and their totals hold what one sees and nothing else, whatever the filter says", async () => {
    for (const who of EVERYBODY) {
      const seen = JOBS.filter((which) => sees(who, which)).map((which) => ids[which]);
      const { jobs, total } = await jobsOf(who).listJobs({ includeTotal: true });
      expect(jobs.map(({ id }) => id).toSorted(), who).toEqual(seen.toSorted());
      expect(total).toBe(BigInt(seen.length));
      const creatorId = (await server.jobs.getJob({ jobId: ids.own })).job?.creatorId ?? "";
      const filtered = await jobsOf(who).listJobs({ filter: { creatorId }, includeTotal: true });
      const ofCreator = seen.filter((id) => id === ids.own || id === ids.delegated);
      expect(filtered.jobs.map(({ id }) => id).toSorted()).toEqual(ofCreator.toSorted());
      expect(filtered.total).toBe(BigInt(ofCreator.length));
    }
  });

  it("a watch of all jobs tells what one sees, in its snapshot and live", async () => {
    const stop = new AbortController();
    const watches = EVERYBODY.map((who) => {
      const marker = systemRandom.uuid();
      const told = new Set<string>();
      const ready = Promise.withResolvers<void>();
      const untilMarker = async (): Promise<void> => {
        for await (const message of jobsOf(who).watchJobs({}, { signal: stop.signal })) {
          for (const { id } of message.jobs) told.add(id);
          if (message.snapshotComplete) ready.resolve();
          if (told.delete(marker)) return;
        }
      };
      return { who, marker, told, ready: ready.promise, over: untilMarker() };
    });
    await Promise.all(watches.map(async ({ ready }) => await ready));
    const live = await submitAll();
    await server.jobs.cancelJob({ jobId: live.delegated });
    // Changes come in order: once a job of his own is told, what was not told before never will be.
    const marked = watches.filter(({ who }) => who !== "organization");
    const mine = { ...idle, labels: { marker: "yes" } };
    for (const { who, marker } of marked) {
      await jobsOf(who).submitJob({ spec: mine, jobId: marker });
    }
    await Promise.all(marked.map(async ({ over }) => await over));
    stop.abort();
    await Promise.allSettled(watches.map(async ({ over }) => await over));
    const markers = new Set(watches.map(({ marker }) => marker));
    for (const { who, told } of watches) {
      const seen = JOBS.filter((which) => sees(who, which));
      const expected = seen.flatMap((which) => [ids[which], live[which]]);
      const jobs = [...told].filter((id) => !markers.has(id));
      expect(jobs.toSorted(), who).toEqual(expected.toSorted());
    }
  });

  it("its result, output and attempts are for those who see it", async () => {
    const runner = createHandRunner(server, { capabilities: ["handler:secret"] });
    const spec = {
      work: { case: "type" as const, value: "secret" },
      runAs: operational.userId,
    };
    const { job } = await jobsOf("creator").submitJob({ spec });
    const jobId = job?.id ?? "";
    const assignment = await runner.take();
    await runner.print(assignment, "a secret");
    await runner.succeed(assignment, '"secret"');
    for (const who of EVERYBODY) {
      const jobs = jobsOf(who);
      if (!sees(who, "delegated")) {
        for (const ask of [
          async () => await jobs.getJobInput({ jobId }),
          async () => await jobs.getJobResult({ jobId }),
          async () => await jobs.listJobOutput({ jobId }),
          async () => await jobs.listJobAttempts({ jobId }),
          async () => await jobs.waitJob({ jobId }),
        ]) {
          expect(await refusalOf(ask()), who).toMatchObject({ reason: "JOB_NOT_FOUND" });
        }
        continue;
      }
      const { result } = await jobs.getJobResult({ jobId });
      expect(result?.kind.value, who).toBe("secret");
      expect((await jobs.listJobOutput({ jobId })).rows).toHaveLength(1);
      expect((await jobs.listJobAttempts({ jobId })).attempts).toHaveLength(1);
    }
  });

  it("the same job id may be chosen in two organizations", async () => {
    const jobId = systemRandom.uuid();
    for (const who of ["creator", "stranger"] as const) {
      const { created, job } = await jobsOf(who).submitJob({ spec: idle, jobId });
      expect({ created, id: job?.id }).toEqual({ created: true, id: jobId });
    }
    const [ours, theirs] = await Promise.all(
      (["creator", "stranger"] as const).map(async (who) => await jobsOf(who).getJob({ jobId })),
    );
    expect(ours?.job?.organizationId).not.toBe(theirs?.job?.organizationId);
  });

  it("a chosen id that is taken by a hidden job is refused without a word of that job", async () => {
    const spec = idle;
    const taken = jobsOf("colleague").submitJob({ spec, jobId: ids.own });
    expect(await refusalOf(taken)).toMatchObject({
      reason: "JOB_ALREADY_EXISTS",
      metadata: { job_id: ids.own },
    });
  });

  it("a request id of one user is not another's key to his job", async () => {
    const requestId = systemRandom.uuid();
    await jobsOf("creator").submitJob({ spec: idle, requestId });
    const again = jobsOf("colleague").submitJob({ spec: idle, requestId });
    expect(await refusalOf(again)).toMatchObject({ reason: "REQUEST_ID_REUSED" });
    expect((await jobsOf("stranger").submitJob({ spec: idle, requestId })).created).toBe(true);
  });
});

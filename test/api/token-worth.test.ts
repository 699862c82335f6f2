import { afterAll, beforeAll, describe, expect, it } from "vitest";

import type { Job } from "../../src/gen/millrace/v1/job_pb.ts";
import type { WatchJobsResponse } from "../../src/gen/millrace/v1/job_service_pb.ts";
import { OrganizationService } from "../../src/gen/millrace/v1/organization_service_pb.ts";
import { type Token, TokenKind, TokenService } from "../../src/gen/millrace/v1/token_service_pb.ts";
import { UserService } from "../../src/gen/millrace/v1/user_service_pb.ts";
import { MEMBER_PERMISSIONS, PERMISSIONS } from "../../src/jobs/abilities.ts";
import { systemRandom } from "../../src/runtime/random.ts";
import { ENGINES } from "../support/databases.ts";
import { createHandRunner, type HandRunner } from "../support/hand-runner.ts";
import { refusalOf, streamRefusalOf } from "../support/refusal.ts";
import type { TestServer, TestUser } from "../support/server.ts";
import { startServerOn } from "../support/server-on.ts";

const idle = { work: { case: "type" as const, value: "idle" } };
const unauthenticated = { reason: "UNAUTHENTICATED" };

describe.each(ENGINES)("a token on %s", (engine) => {
  let server: TestServer;
  let runner: HandRunner;
  let ada: TestUser;
  let bob: TestUser;
  let stranger: TestUser;

  beforeAll(async () => {
    server = await startServerOn(engine);
    runner = createHandRunner(server);
    const { organizationId } = server.admin;
    ada = await server.addUser(organizationId, MEMBER_PERMISSIONS);
    bob = await server.addUser(organizationId, ["jobs:view"]);
    stranger = await server.addUser(await server.addOrganization(), ["admin"]);
  });
  afterAll(async () => {
    await server.stop();
  });

  const tokensOf = (token: string) => server.clientOf(TokenService, token);
  const idOf = (token: Token | undefined): string => token?.id ?? "";
  const introspected = async (by: string, token: string) =>
    await tokensOf(by).introspectToken({ token });

  describe("revoking", () => {
    it("counts at once, twice is no error", async () => {
      const { secret, token } = await tokensOf(ada.token).createToken({});
      await server.jobsOf({ token: secret }).listJobs({});
      const tokenId = idOf(token);
      expect(await tokensOf(ada.token).revokeToken({ tokenId })).toMatchObject({ revoked: true });
      expect(await refusalOf(server.jobsOf({ token: secret }).listJobs({}))).toMatchObject(
        unauthenticated,
      );
      expect(await tokensOf(ada.token).revokeToken({ tokenId })).toMatchObject({ revoked: false });
      const { tokens } = await tokensOf(ada.token).listTokens({});
      expect(tokens.find(({ id }) => id === tokenId)?.revokeTime).toBeDefined();
    });

    it("ends the streams and long polls that the token has open, and no others", async () => {
      const { secret, token } = await tokensOf(ada.token).createToken({});
      const jobs = server.jobsOf({ token: secret });
      const { job } = await jobs.submitJob({ spec: idle });
      const jobId = job?.id ?? "";
      const open = async (client: typeof jobs) => {
        const stop = new AbortController();
        const stream = client.watchJobs({}, { signal: stop.signal })[Symbol.asyncIterator]();
        await stream.next();
        return { rest: { [Symbol.asyncIterator]: () => stream }, stream, stop };
      };
      const theirs = await open(jobs);
      const other = await open(server.jobsOf(ada));
      const watched = streamRefusalOf(theirs.rest);
      const waited = refusalOf(jobs.waitJob({ jobId }));
      const ran = refusalOf(jobs.runJob({ submit: { spec: idle } }));
      // All three are under way once the job of the last is there.
      await until(other.stream, (seen) => seen.some(({ id }) => id !== jobId));
      await tokensOf(ada.token).revokeToken({ tokenId: idOf(token) });
      for (const refusal of await Promise.all([watched, waited, ran])) {
        expect(refusal).toMatchObject(unauthenticated);
      }
      const { job: later } = await server.jobsOf(ada).submitJob({ spec: idle });
      await until(other.stream, (seen) => seen.some(({ id }) => id === later?.id));
      other.stop.abort();
    });

    it("a token that is not one's own, or none, is the same as none", async () => {
      const { token } = await tokensOf(ada.token).createToken({});
      const absent = formatless(systemRandom.uuid());
      for (const by of [bob.token, stranger.token]) {
        for (const tokenId of [idOf(token), absent, "", "ü", "job:x#1"]) {
          expect(await refusalOf(tokensOf(by).revokeToken({ tokenId }))).toEqual({
            code: "NotFound",
            reason: "TOKEN_NOT_FOUND",
            metadata: { token_id: tokenId },
            fields: [],
            retries: false,
          });
        }
      }
      expect(await introspected(ada.token, "")).toMatchObject({ active: true });
    });

    it("is for a token itself, for admins and for operators too", async () => {
      const make = async () => await tokensOf(bob.token).createToken({});
      for (const by of [null, server.admin.token, server.operatorToken]) {
        const { secret, token } = await make();
        const client = tokensOf(by ?? secret);
        expect(await client.revokeToken({ tokenId: idOf(token) })).toMatchObject({ revoked: true });
        expect(await introspected(server.operatorToken, secret)).toMatchObject({ active: false });
      }
    });
  });

  describe("introspection", () => {
    it("tells what a token is good for now", async () => {
      const expiresIn = { seconds: 60n };
      const { secret, token } = await tokensOf(ada.token).createToken({ expiresIn });
      const answer = await introspected(bob.token, secret);
      expect(answer).toMatchObject({
        active: true,
        kind: TokenKind.USER,
        tokenId: idOf(token),
        organizationId: ada.organizationId,
        userId: ada.userId,
        abilities: [...MEMBER_PERMISSIONS],
        roles: [],
        expireTime: token?.expireTime,
      });
      const admin = await introspected(server.admin.token, "");
      expect([...admin.abilities, ...admin.roles].toSorted()).toEqual([...PERMISSIONS].toSorted());
    });

    it("of a token that is unknown, revoked or another organization's says that and nothing else", async () => {
      const { secret, token } = await tokensOf(ada.token).createToken({});
      const nothing = await introspected(ada.token, "nonsense");
      expect(nothing).toMatchObject({ active: false, tokenId: "", organizationId: "", userId: "" });
      expect(await introspected(stranger.token, secret)).toEqual(nothing);
      await tokensOf(ada.token).revokeToken({ tokenId: idOf(token) });
      expect(await introspected(ada.token, secret)).toEqual(nothing);
    });

    it("is no use of the token", async () => {
      const { secret, token } = await tokensOf(ada.token).createToken({});
      await introspected(ada.token, secret);
      const { tokens } = await tokensOf(ada.token).listTokens({});
      expect(tokens.find(({ id }) => id === idOf(token))?.lastUseTime).toBeUndefined();
    });
  });

  describe("a job's own token", () => {
    it("is introspected as the job's, and revoked by whoever may see the job", async () => {
      const boss = await server.addUser(ada.organizationId, [...MEMBER_PERMISSIONS, "jobs:run-as"]);
      const work = { case: "script" as const, value: { source: "export default () => 1" } };
      await server.jobsOf(boss).submitJob({ spec: { work, runAs: bob.userId } });
      const assignment = await runner.take();
      const { jobToken } = assignment;
      const { jobId = "", attempt = 0 } = assignment.attempt ?? {};
      const tokenId = `job:${jobId}#${attempt}`;
      expect(await introspected(ada.token, jobToken)).toMatchObject({
        active: true,
        kind: TokenKind.JOB,
        tokenId,
        userId: bob.userId,
        creatorId: boss.userId,
        abilities: ["jobs:view"],
        roles: [],
        jobId,
        attempt: 1,
      });
      // A job asks about itself alone.
      expect(await introspected(jobToken, "")).toMatchObject({ active: true, tokenId });
      expect(await introspected(jobToken, bob.token)).toMatchObject({ active: false });

      for (const by of [ada.token, stranger.token]) {
        const refused = tokensOf(by).revokeToken({ tokenId });
        expect(await refusalOf(refused)).toMatchObject({ reason: "TOKEN_NOT_FOUND" });
      }
      const future = tokensOf(boss.token).revokeToken({ tokenId: `job:${jobId}#2` });
      expect(await refusalOf(future)).toMatchObject({ reason: "TOKEN_NOT_FOUND" });
      const client = tokensOf(boss.token);
      expect(await client.revokeToken({ tokenId })).toMatchObject({ revoked: true });
      expect(await client.revokeToken({ tokenId })).toMatchObject({ revoked: false });
      const used = server.jobsOf({ token: jobToken }).listJobs({});
      expect(await refusalOf(used)).toMatchObject(unauthenticated);
      // The attempt itself goes on.
      await runner.succeed(assignment);
    });

    it("is dead while its operational user is disabled", async () => {
      const carl = await server.addUser(ada.organizationId, MEMBER_PERMISSIONS);
      const work = { case: "script" as const, value: { source: "export default () => 1" } };
      await server.jobsOf(carl).submitJob({ spec: { work } });
      const assignment = await runner.take();
      const used = async () => await server.jobsOf({ token: assignment.jobToken }).listJobs({});
      await used();
      const users = server.clientOf(UserService, server.admin.token);
      await users.updateUser({ userId: carl.userId, disabled: true });
      expect(await refusalOf(used())).toMatchObject(unauthenticated);
      await runner.succeed(assignment);
    });
  });

  it("notes who made and revoked which token, and which job's", async () => {
    const { token } = await tokensOf(ada.token).createToken({
      abilities: { names: ["jobs:view"] },
    });
    const subject = idOf(token);
    await tokensOf(server.admin.token).revokeToken({ tokenId: subject });
    const log = server.clientOf(OrganizationService, server.admin.token);
    const { events } = await log.listAuditEvents({ subject });
    expect(events.map(({ action, actorId }) => [action, actorId])).toEqual([
      ["token.revoke", server.admin.userId],
      ["token.create", ada.userId],
    ]);
    expect(events[1]?.details).toMatchObject({ abilities: ["jobs:view"], userId: ada.userId });
    const revoked = (await log.listAuditEvents({ pageSize: 1_000 })).events.filter(
      ({ action }) => action === "job.revoke-token",
    );
    expect(revoked).toHaveLength(1);
    expect(revoked[0]?.details).toEqual({ attempt: 1 });
  });
});

/** Reads on until there is such news; the stream stays open. */
const until = async (
  stream: AsyncIterator<WatchJobsResponse>,
  isSeen: (jobs: readonly Job[]) => boolean,
): Promise<void> => {
  for (;;) {
    const next = await stream.next();
    if (next.done === true) throw new Error("the stream has ended");
    if (isSeen(next.value.jobs)) return;
  }
};

/** The shape of a token's id, and none that was given out. */
const formatless = (uuid: string): string => uuid.replaceAll("-", "").slice(0, 17);

import { afterAll, beforeAll, describe, expect, it } from "vitest";

import { type Token, TokenKind, TokenService } from "../../src/gen/millrace/v1/token_service_pb.ts";
import { UserService } from "../../src/gen/millrace/v1/user_service_pb.ts";
import { MEMBER_PERMISSIONS } from "../../src/jobs/abilities.ts";
import { systemRandom } from "../../src/runtime/random.ts";
import { ENGINES } from "../support/databases.ts";
import { refusalOf } from "../support/refusal.ts";
import type { TestServer, TestUser } from "../support/server.ts";
import { startServerOn } from "../support/server-on.ts";

const idle = { work: { case: "type" as const, value: "idle" } };

describe.each(ENGINES)("TokenService on %s", (engine) => {
  let server: TestServer;
  let ada: TestUser;
  let bob: TestUser;
  let stranger: TestUser;

  beforeAll(async () => {
    server = await startServerOn(engine);
    const { organizationId } = server.admin;
    ada = await server.addUser(organizationId, MEMBER_PERMISSIONS);
    bob = await server.addUser(organizationId, ["jobs:view"]);
    stranger = await server.addUser(await server.addOrganization(), ["admin"]);
  });
  afterAll(async () => {
    await server.stop();
  });

  const tokensOf = (token: string) => server.clientOf(TokenService, token);
  const operator = () => tokensOf(server.operatorToken);
  const idOf = (token: Token | undefined): string => token?.id ?? "";
  const introspected = async (by: string, token: string) =>
    await tokensOf(by).introspectToken({ token });

  describe("making", () => {
    it("a token of one's own with a part of what one may, which is shown once", async () => {
      const { secret, token } = await tokensOf(ada.token).createToken({
        name: "reader",
        abilities: { names: ["jobs:view"] },
        expiresIn: { seconds: 3_600n },
      });
      expect(secret).toMatch(/^mr_[0-9A-Za-z]{17}_[0-9A-Za-z]{49}$/);
      expect(token).toMatchObject({
        kind: TokenKind.USER,
        organizationId: ada.organizationId,
        userId: ada.userId,
        name: "reader",
        abilities: { names: ["jobs:view"] },
        roles: { names: [] },
        createdBy: ada.userId,
      });
      expect((await server.jobsOf({ token: secret }).listJobs({})).jobs).toEqual([]);
      const submitted = server.jobsOf({ token: secret }).submitJob({ spec: idle });
      expect(await refusalOf(submitted)).toMatchObject({ metadata: { needs: "jobs:create" } });
      const { tokens } = await tokensOf(ada.token).listTokens({});
      const listed = tokens.find(({ id }) => id === idOf(token));
      expect(listed).toMatchObject({ name: "reader" });
      expect(JSON.stringify(tokens, (_key, value: unknown) => String(value))).not.toContain(secret);
    });

    it("more than one's own token may is refused, with the path of it", async () => {
      const wanted = {
        abilities: { names: ["jobs:view", "jobs:create"] },
        roles: { names: ["admin"] },
      };
      expect(await refusalOf(tokensOf(bob.token).createToken(wanted))).toMatchObject({
        reason: "INVALID_ARGUMENT",
        fields: ["abilities.names[1]", "roles.names[0]"],
      });
    });

    it("with a limited token makes a token that is limited in the same way", async () => {
      const names = ["jobs:view"];
      const limited = await tokensOf(server.admin.token).createToken({ abilities: { names } });
      const { secret, token } = await tokensOf(limited.secret).createToken({});
      expect(token).toMatchObject({ abilities: { names }, roles: { names: [] } });
      const more = tokensOf(secret).createToken({ abilities: { names: ["jobs:create"] } });
      expect(await refusalOf(more)).toMatchObject({ reason: "INVALID_ARGUMENT" });
    });

    it("with a token that expires makes none that outlives it", async () => {
      const expiresIn = { seconds: 3_600n };
      const made = await tokensOf(bob.token).createToken({ expiresIn });
      const until = made.token?.expireTime;
      expect(until).toBeDefined();
      const inner = await tokensOf(made.secret).createToken({});
      expect(inner.token?.expireTime).toEqual(until);
      const shorter = await tokensOf(made.secret).createToken({ expiresIn: { seconds: 60n } });
      expect(Number(shorter.token?.expireTime?.seconds)).toBeLessThan(Number(until?.seconds));
      const longer = tokensOf(made.secret).createToken({ expiresIn: { seconds: 7_200n } });
      expect(await refusalOf(longer)).toMatchObject({ fields: ["expires_in"] });
      const unlimited = await tokensOf(bob.token).createToken({ expiresIn: { seconds: 7_200n } });
      expect(unlimited.token?.expireTime).toBeDefined();
    });

    it("for somebody else is for admins, whether there is such a user or not", async () => {
      const refusals = await Promise.all(
        [bob.userId, stranger.userId, systemRandom.uuid()].map(
          async (userId) => await refusalOf(tokensOf(ada.token).createToken({ userId })),
        ),
      );
      for (const refusal of refusals)
        expect(refusal).toMatchObject({ metadata: { needs: "admin" } });
      const { secret } = await tokensOf(server.admin.token).createToken({ userId: bob.userId });
      expect(await introspected(secret, "")).toMatchObject({ active: true, userId: bob.userId });
      for (const userId of [stranger.userId, systemRandom.uuid()]) {
        const made = tokensOf(server.admin.token).createToken({ userId });
        expect(await refusalOf(made)).toMatchObject({ reason: "USER_NOT_FOUND" });
      }
    });

    it("for the organization itself: its jobs have no owner and are for admins alone", async () => {
      const admin = tokensOf(server.admin.token);
      expect(await refusalOf(admin.createToken({ forOrganization: true }))).toMatchObject({
        fields: ["abilities"],
      });
      const abilities = { names: ["jobs:create", "jobs:view"] };
      const { secret, token } = await admin.createToken({ forOrganization: true, abilities });
      expect(token?.userId).toBe("");
      const jobs = server.jobsOf({ token: secret });
      const { job } = await jobs.submitJob({ spec: idle });
      expect(job).toMatchObject({ creatorId: "", runAs: "" });
      const jobId = job?.id ?? "";
      expect(await refusalOf(jobs.getJob({ jobId }))).toMatchObject({ reason: "JOB_NOT_FOUND" });
      expect((await server.jobs.getJob({ jobId })).job?.id).toBe(jobId);
      expect((await tokensOf(secret).listTokens({})).tokens).toEqual([]);
    });

    it("for a user who is disabled is refused", async () => {
      const { organizationId, userId } = await server.addUser(ada.organizationId, []);
      const users = server.clientOf(UserService, server.admin.token);
      await users.updateUser({ organizationId, userId, disabled: true });
      const made = tokensOf(server.admin.token).createToken({ userId });
      expect(await refusalOf(made)).toMatchObject({ fields: ["user_id"] });
    });

    it("for runners and operators is for operators", async () => {
      for (const kind of [TokenKind.RUNNER, TokenKind.OPERATOR]) {
        const refused = tokensOf(server.admin.token).createToken({ kind });
        expect(await refusalOf(refused)).toMatchObject({ metadata: { needs: "operator" } });
        const { secret, token } = await operator().createToken({ kind, name: "rack-7" });
        expect(token).toMatchObject({ kind, organizationId: "", userId: "", name: "rack-7" });
        expect(await introspected(server.operatorToken, secret)).toMatchObject({
          active: true,
          kind,
        });
        expect(await introspected(server.admin.token, secret)).toMatchObject({ active: false });
      }
      const subject = { kind: TokenKind.RUNNER, userId: ada.userId, roles: { names: [] } };
      expect(await refusalOf(operator().createToken(subject))).toMatchObject({
        fields: ["user_id", "roles"],
      });
    });

    it("by an operator for a user needs the names of both", async () => {
      const { organizationId, userId } = ada;
      expect(await refusalOf(operator().createToken({ userId }))).toMatchObject({
        fields: ["organization_id"],
      });
      expect(await refusalOf(operator().createToken({ organizationId }))).toMatchObject({
        fields: ["user_id"],
      });
      const { secret } = await operator().createToken({ organizationId, userId });
      expect(await introspected(secret, "")).toMatchObject({ active: true, userId });
    });

    it("is bounded, and every fault is told at once", async () => {
      const request = {
        kind: TokenKind.JOB,
        name: "x".repeat(201),
        abilities: { names: ["jobs:fly"] },
        expiresIn: { nanos: 1 },
      };
      const { fields } = await refusalOf(tokensOf(ada.token).createToken(request));
      expect(fields.toSorted()).toEqual(["abilities.names[0]", "expires_in", "kind", "name"]);
    });
  });

  describe("listing", () => {
    it("shows a user his own, an admin all of the organization, nobody another's", async () => {
      const organizationId = await server.addOrganization();
      const boss = await server.addUser(organizationId, ["admin"]);
      const member = await server.addUser(organizationId, MEMBER_PERMISSIONS);
      const usersOf = async (token: string, userId = "") =>
        (await tokensOf(token).listTokens({ userId })).tokens.map((one) => one.userId);
      expect(await usersOf(member.token)).toEqual([member.userId]);
      expect(await usersOf(member.token, boss.userId)).toEqual([]);
      expect((await usersOf(boss.token)).toSorted()).toEqual(
        [boss.userId, member.userId].toSorted(),
      );
      expect(await usersOf(boss.token, member.userId)).toEqual([member.userId]);
      const foreign = tokensOf(stranger.token).listTokens({ organizationId });
      expect(await refusalOf(foreign)).toMatchObject({ reason: "ORGANIZATION_NOT_FOUND" });
      const all = await operator().listTokens({ organizationId });
      expect(all.tokens).toHaveLength(2);
    });

    it("goes by id, in pages that belong to one list", async () => {
      const organizationId = await server.addOrganization();
      const boss = await server.addUser(organizationId, ["admin"]);
      const client = tokensOf(boss.token);
      for (let count = 0; count < 4; count += 1) await client.createToken({});
      const seen: string[] = [];
      let pageToken = "";
      do {
        const page = await client.listTokens({ pageSize: 2, pageToken });
        seen.push(...page.tokens.map(({ id }) => id));
        pageToken = page.nextPageToken;
      } while (pageToken !== "");
      expect(seen).toHaveLength(5);
      expect(seen).toEqual(seen.toSorted());
      const first = await client.listTokens({ pageSize: 2 });
      const other = { userId: boss.userId, pageToken: first.nextPageToken };
      expect(await refusalOf(client.listTokens(other))).toMatchObject({ fields: ["page_token"] });
    });

    it("shows operators the tokens of runners and operators", async () => {
      const { tokens } = await operator().listTokens({});
      const kinds = new Set(tokens.map(({ kind }) => kind));
      expect(kinds).toEqual(new Set([TokenKind.RUNNER, TokenKind.OPERATOR]));
    });
  });
});

import { afterAll, beforeAll, describe, expect, it } from "vitest";

import { TokenKind, TokenService } from "../../src/gen/millrace/v1/token_service_pb.ts";
import { ENGINES } from "../support/databases.ts";
import {
  type OutsideIssuer,
  type SigningKey,
  startOutsideIssuer,
} from "../support/outside-issuer.ts";
import { refusalOf } from "../support/refusal.ts";
import type { TestServer } from "../support/server.ts";
import { startServerOn } from "../support/server-on.ts";

describe.each(ENGINES)("JWTs of an outside issuer on %s", (engine) => {
  let server: TestServer;
  let issuer: OutsideIssuer;
  let key: SigningKey;

  beforeAll(async () => {
    issuer = await startOutsideIssuer();
    key = await issuer.rotate("key");
    server = await startServerOn(engine, {
      environment: {
        MILLRACE_JWT_ISSUER: issuer.issuer,
        MILLRACE_JWT_JWKS_URL: issuer.jwksUrl,
        MILLRACE_JWT_AUDIENCE: issuer.audience,
        MILLRACE_JWT_ABILITIES_CLAIM: "scope",
      },
    });
  });
  afterAll(async () => {
    await server.stop();
    await issuer.close();
  });

  const jwt = async (claims: object = {}) =>
    await issuer.sign(key, {
      organization: "acme",
      sub: server.admin.userId,
      scope: "openid jobs:create jobs:view",
      ...claims,
    });

  it("submit jobs for the user that they name, within what they may", async () => {
    const jobs = server.jobsOf({ token: await jwt() });
    const spec = { work: { case: "type" as const, value: "idle" } };
    const { job } = await jobs.submitJob({ spec });
    expect(job?.creatorId).toBe(server.admin.userId);
    const cancelled = jobs.cancelJob({ jobId: job?.id ?? "" });
    expect(await refusalOf(cancelled)).toMatchObject({ metadata: { needs: "jobs:cancel" } });
  });

  it("that are worth nothing are refused in the words for every other token", async () => {
    const refusals = await Promise.all(
      ["nonsense", await jwt({ sub: "ü".repeat(50) }), await jwt({ exp: 1 })].map(
        async (token) => await refusalOf(server.jobsOf({ token }).listJobs({})),
      ),
    );
    expect(new Set(refusals.map((refusal) => JSON.stringify(refusal))).size).toBe(1);
    expect(refusals[0]).toMatchObject({ reason: "UNAUTHENTICATED" });
  });

  it("are introspected, and what they make is limited as they are", async () => {
    const tokens = server.clientOf(TokenService, await jwt());
    expect(await tokens.introspectToken({})).toMatchObject({
      active: true,
      kind: TokenKind.USER,
      tokenId: "jwt",
      userId: server.admin.userId,
      abilities: ["jobs:create", "jobs:view"],
      roles: [],
    });
    const { token } = await tokens.createToken({});
    expect(token).toMatchObject({ abilities: { names: ["jobs:create", "jobs:view"] } });
    const { expireTime } = await tokens.introspectToken({});
    expect(expireTime).toBeDefined();
    expect(token?.expireTime).toEqual(expireTime);
  });

  it("may expire at any time at all", async () => {
    const tokens = server.clientOf(TokenService, await jwt({ exp: 1e300 }));
    const { active, expireTime } = await tokens.introspectToken({});
    expect([active, expireTime?.seconds]).toEqual([true, 253_402_300_799n]);
  });
});

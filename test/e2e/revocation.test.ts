import { type Client, createClient } from "@connectrpc/connect";
import { createGrpcTransport } from "@connectrpc/connect-node";
import type { DescService } from "@bufbuild/protobuf";
import { expect, test } from "vitest";

import { JobService } from "../../src/gen/millrace/v1/job_service_pb.ts";
import { TokenService } from "../../src/gen/millrace/v1/token_service_pb.ts";
import { UserService } from "../../src/gen/millrace/v1/user_service_pb.ts";
import { ServerProcess } from "../support/processes.ts";
import { type Refusal, refusalOf, streamRefusalOf } from "../support/refusal.ts";
import { bearer } from "../support/server.ts";
import { prepareSite } from "../support/site.ts";
import { createMigrated } from "../support/templates.ts";

/** Row C3. */
const WITHIN_MS = 5_000;

test("a revocation on one server ends what the token has open on another, within 5 s", async () => {
  await using stack = new AsyncDisposableStack();
  const database = await createMigrated("mysql");
  stack.defer(async () => await database.drop());
  const site = await prepareSite(database.url);
  const start = async (): Promise<ServerProcess> => {
    const server = await ServerProcess.at(site, { MILLRACE_DRAIN_SECONDS: "0" });
    stack.defer(async () => await server.kill("SIGTERM"));
    await server.start();
    return server;
  };
  // The first one owns all shards, and so has the watches.
  const here = await start();
  const there = await start();
  const clientOf = <S extends DescService>(
    service: S,
    server: ServerProcess,
    token: string,
  ): Client<S> => {
    const { publicUrl: baseUrl } = server.addresses;
    return createClient(service, createGrpcTransport({ baseUrl, interceptors: [bearer(token)] }));
  };
  const tokens = clientOf(TokenService, there, site.token);
  const users = clientOf(UserService, there, site.token);

  /** A user with a token, and a watch of his that is open on the first server. */
  const aWatch = async (name: string) => {
    const { user } = await users.createUser({ name });
    const userId = user?.id ?? "";
    const { secret, token } = await tokens.createToken({ userId });
    const jobs = clientOf(JobService, here, secret);
    const stream = jobs.watchJobs({})[Symbol.asyncIterator]();
    await stream.next();
    const ended = streamRefusalOf({ [Symbol.asyncIterator]: () => stream });
    return { userId, tokenId: token?.id ?? "", jobs, ended };
  };
  const [revoked, disabled, changed] = await Promise.all(["bea", "bob", "carl"].map(aWatch));
  if (revoked === undefined || disabled === undefined || changed === undefined) return;

  const startedAt = performance.now();
  const timed = async (ended: Promise<Refusal>) => {
    const { reason } = await ended;
    return { reason, soon: performance.now() - startedAt < WITHIN_MS };
  };
  const ends = Promise.all([revoked, disabled, changed].map(({ ended }) => timed(ended)));
  await tokens.revokeToken({ tokenId: revoked.tokenId });
  await users.updateUser({ userId: disabled.userId, disabled: true });
  await users.updateUser({ userId: changed.userId, roles: { names: ["job-read"] } });

  expect(await ends).toEqual([
    { reason: "UNAUTHENTICATED", soon: true },
    { reason: "UNAUTHENTICATED", soon: true },
    { reason: "CALLER_CHANGED", soon: true },
  ]);
  for (const { jobs } of [revoked, disabled]) {
    expect(await refusalOf(jobs.listJobs({}))).toMatchObject({ reason: "UNAUTHENTICATED" });
  }
  expect((await changed.jobs.listJobs({})).jobs).toEqual([]);
});

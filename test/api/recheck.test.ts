import type { StreamResponse } from "@connectrpc/connect";
import { describe, expect, it } from "vitest";

import { recheckStreams } from "../../src/api/recheck.ts";
import { Health } from "../../src/gen/grpc/health/v1/health_pb.ts";
import { JobService } from "../../src/gen/millrace/v1/job_service_pb.ts";
import { JobFault } from "../../src/jobs/errors.ts";
import { createManualClock } from "../support/manual-clock.ts";

/** A stream of numbers behind the interceptor; `state.revoked` is what the authenticator finds. */
const aStream = async (service: typeof JobService | typeof Health) => {
  const clock = createManualClock();
  const state = { revoked: false, checks: 0 };
  const authenticate = async () => {
    state.checks += 1;
    if (state.revoked) throw new JobFault("UNAUTHENTICATED", "no more");
    return await Promise.resolve({ kind: "runner", tokenId: "t" } as const);
  };
  const message = (async function* () {
    for (let count = 0; ; count += 1) yield await Promise.resolve(count);
  })();
  const wrapped = recheckStreams(
    { authenticate, revoke: async () => await Promise.resolve(true) },
    clock,
  )(async () => await Promise.resolve({ stream: true, message } as unknown as StreamResponse));
  const response = await wrapped({ service, header: new Headers() } as never);
  if (!response.stream) throw new Error("no stream");
  return { clock, state, messages: response.message[Symbol.asyncIterator]() };
};

describe("a stream", () => {
  it("ends when its token was revoked, at the first message 5 s later", async () => {
    const { clock, state, messages } = await aStream(JobService);
    await messages.next();
    state.revoked = true;
    clock.advance(4_999);
    expect((await messages.next()).value).toBe(1);
    clock.advance(1);
    await expect(messages.next()).rejects.toMatchObject({ reason: "UNAUTHENTICATED" });
  });

  it("has its token looked at once in 5 s, however much it says", async () => {
    const { clock, state, messages } = await aStream(JobService);
    await messages.next();
    clock.advance(5_000);
    for (let count = 0; count < 100; count += 1) await messages.next();
    expect(state.checks).toBe(1);
  });

  it("that needs no token is left alone", async () => {
    const { clock, state, messages } = await aStream(Health);
    await messages.next();
    clock.advance(60_000);
    await messages.next();
    expect(state.checks).toBe(0);
  });
});

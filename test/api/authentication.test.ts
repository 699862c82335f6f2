import type { DescMethod, DescService } from "@bufbuild/protobuf";
import { createClient, type Interceptor, type Transport } from "@connectrpc/connect";
import {
  createConnectTransport,
  createGrpcTransport,
  createGrpcWebTransport,
} from "@connectrpc/connect-node";
import { afterAll, beforeAll, describe, expect, it } from "vitest";

import { ACCESS } from "../../src/api/access.ts";
import { OPEN_SERVICES } from "../../src/api/gate.ts";
import { Health } from "../../src/gen/grpc/health/v1/health_pb.ts";
import { JobUpdateService } from "../../src/gen/millrace/internal/v1/job_update_service_pb.ts";
import { RunnerService } from "../../src/gen/millrace/internal/v1/runner_service_pb.ts";
import { JobService } from "../../src/gen/millrace/v1/job_service_pb.ts";
import { createToken } from "../../src/identity/create-token.ts";
import { formatToken } from "../../src/identity/token.ts";
import { systemClock } from "../../src/runtime/clock.ts";
import { systemRandom } from "../../src/runtime/random.ts";
import { type Refusal, refusalOf, streamRefusalOf } from "../support/refusal.ts";
import { bearer, startTestServer, type TestServer } from "../support/server.ts";

const PUBLIC: readonly DescService[] = [JobService];
const INTERNAL: readonly DescService[] = [RunnerService, JobUpdateService];
const methodsOf = (services: readonly DescService[]): DescMethod[] =>
  services.flatMap(({ methods }) => methods);
/** Methods that let in one kind of tokens and not the other. */
const only = (one: "user" | "runner", other: "user" | "runner") => (method: DescMethod) => {
  const { kinds = [] } = ACCESS[nameOf(method)] ?? {};
  return kinds.includes(one) && !kinds.includes(other);
};
const nameOf = ({ parent, name }: DescMethod): string => `${parent.typeName}/${name}`;

type Options = { readonly baseUrl: string; readonly interceptors: Interceptor[] };

const TRANSPORTS = {
  grpc: (options: Options) => createGrpcTransport(options),
  "grpc-web": (options: Options) => createGrpcWebTransport({ ...options, httpVersion: "1.1" }),
  connect: (options: Options) => createConnectTransport({ ...options, httpVersion: "1.1" }),
  "connect GET": (options: Options) =>
    createConnectTransport({ ...options, httpVersion: "1.1", useHttpGet: true }),
} as const;

/** Over HTTP/1.1 there are no streams in both directions: such a call is answered 505 to everybody. */
const speaks = (protocol: keyof typeof TRANSPORTS, { methodKind }: DescMethod): boolean =>
  methodKind !== "bidi_streaming" || protocol === "grpc";

/** Calls a method with an empty message, whatever its kind. */
const callOf = async (transport: Transport, method: DescMethod): Promise<Refusal> => {
  if (method.methodKind === "unary") {
    return await refusalOf(transport.unary(method as never, undefined, undefined, undefined, {}));
  }
  const requests = (async function* () {
    yield {};
  })();
  const stream = transport.stream(
    method as never,
    undefined,
    undefined,
    undefined,
    requests as never,
  );
  return await streamRefusalOf((await stream).message);
};

let server: TestServer;
beforeAll(async () => {
  server = await startTestServer();
});
afterAll(async () => {
  await server.stop();
});

const maker = () => ({ identity: server.store.identity, clock: systemClock, random: systemRandom });
const aUserToken = async (expiresAt: number | null) => {
  const { organizationId, userId } = server.admin;
  return await createToken(maker(), { kind: "user", organizationId, userId, name: "t", expiresAt });
};

const unauthenticated = expect.objectContaining({
  code: "Unauthenticated",
  reason: "UNAUTHENTICATED",
});

describe.each(Object.keys(TRANSPORTS) as (keyof typeof TRANSPORTS)[])("over %s", (protocol) => {
  const refusals = async (
    baseUrl: string,
    services: readonly DescService[],
    token: string | null,
    wanted: (method: DescMethod) => boolean = () => true,
  ) => {
    const interceptors = token === null ? [] : [bearer(token)];
    const transport = TRANSPORTS[protocol]({ baseUrl, interceptors });
    return await Promise.all(
      methodsOf(services)
        .filter((method) => wanted(method) && speaks(protocol, method))
        .map(async (method) => await callOf(transport, method)),
    );
  };

  it("every method on both listeners refuses a call without a token", async () => {
    const all = [
      ...(await refusals(server.publicUrl, PUBLIC, null)),
      ...(await refusals(server.internalUrl, INTERNAL, null)),
    ];
    const spoken = methodsOf([...PUBLIC, ...INTERNAL]).filter((one) => speaks(protocol, one));
    expect(all).toHaveLength(spoken.length);
    for (const refusal of all) expect(refusal).toEqual(unauthenticated);
  });

  it("every method on both listeners refuses a token that is none of ours", async () => {
    const unknown = formatToken(systemRandom.secret(12), systemRandom.secret(32)).text;
    const forged = `${server.admin.token.slice(0, 25)}${unknown.slice(25)}`;
    for (const token of ["nonsense", unknown, forged]) {
      const all = [
        ...(await refusals(server.publicUrl, PUBLIC, token)),
        ...(await refusals(server.internalUrl, INTERNAL, token)),
      ];
      for (const refusal of all) expect(refusal).toEqual(unauthenticated);
    }
  });

  it("an admin's token does not work where only runners are let in, nor a runner's where only users are", async () => {
    const all = [
      ...(await refusals(server.internalUrl, INTERNAL, server.admin.token, only("runner", "user"))),
      ...(await refusals(server.publicUrl, PUBLIC, server.runnerToken, only("user", "runner"))),
    ];
    // All of RunnerService is for runners alone, and so is UpdateJobs.
    const reports = speaks(protocol, JobUpdateService.method.updateJobs) ? 1 : 0;
    expect(all).toHaveLength(methodsOf([RunnerService, ...PUBLIC]).length + reports);
    for (const refusal of all) expect(refusal).toMatchObject({ reason: "PERMISSION_DENIED" });
  });
});

describe("the walk above", () => {
  it("covers every service that needs a token, and the open ones are health and reflection", () => {
    expect([...OPEN_SERVICES].toSorted()).toEqual([
      "grpc.health.v1.Health",
      "grpc.reflection.v1.ServerReflection",
      "grpc.reflection.v1alpha.ServerReflection",
    ]);
    const known = methodsOf([...PUBLIC, ...INTERNAL]).map(nameOf);
    expect(known.filter((name) => ACCESS[name] === undefined)).toEqual([]);
  });

  it("leaves out health, which answers without a token", async () => {
    for (const baseUrl of [server.publicUrl, server.internalUrl]) {
      const health = createClient(Health, createGrpcTransport({ baseUrl }));
      expect((await health.check({})).status).toBe(1);
    }
  });
});

describe("a token", () => {
  it("that has expired is refused", async () => {
    const { text } = await aUserToken(systemClock.now() - 1);
    expect(await refusalOf(server.jobsOf({ token: text }).listJobs({}))).toEqual(unauthenticated);
  });

  it("works in any spelling of the scheme, and in no other scheme", async () => {
    const transport = (value: string) =>
      createConnectTransport({
        baseUrl: server.publicUrl,
        httpVersion: "1.1",
        interceptors: [
          (next) => async (request) => {
            request.header.set("authorization", value);
            return await next(request);
          },
        ],
      });
    const list = async (value: string) =>
      await createClient(JobService, transport(value)).listJobs({});
    expect((await list(`bearer  ${server.admin.token}`)).jobs).toEqual([]);
    expect(await refusalOf(list(`Basic ${server.admin.token}`))).toEqual(unauthenticated);
    expect(await refusalOf(list(server.admin.token))).toEqual(unauthenticated);
  });
});

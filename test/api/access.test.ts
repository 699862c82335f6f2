import { type DescMethod, type DescService, type DescMessage, toJson } from "@bufbuild/protobuf";
import { Code, ConnectError, createClient, type Transport } from "@connectrpc/connect";
import { createGrpcTransport, Http2SessionManager } from "@connectrpc/connect-node";
import { afterAll, beforeAll, describe, expect, it } from "vitest";

import { ACCESS, accessTo } from "../../src/api/access.ts";
import { OPEN_SERVICES } from "../../src/api/gate.ts";
import {
  BadRequestSchema,
  ErrorInfoSchema,
  PreconditionFailureSchema,
  RetryInfoSchema,
} from "../../src/gen/google/rpc/error_details_pb.ts";
import { Health } from "../../src/gen/grpc/health/v1/health_pb.ts";
import { HookService } from "../../src/gen/millrace/v1/hook_service_pb.ts";
import { JobUpdateService } from "../../src/gen/millrace/internal/v1/job_update_service_pb.ts";
import { RunnerService } from "../../src/gen/millrace/internal/v1/runner_service_pb.ts";
import { JobService } from "../../src/gen/millrace/v1/job_service_pb.ts";
import { MetricsService } from "../../src/gen/millrace/v1/metrics_service_pb.ts";
import { JobTypeService } from "../../src/gen/millrace/v1/job_type_service_pb.ts";
import { OrganizationService } from "../../src/gen/millrace/v1/organization_service_pb.ts";
import { ScheduleService } from "../../src/gen/millrace/v1/schedule_service_pb.ts";
import { TokenService } from "../../src/gen/millrace/v1/token_service_pb.ts";
import { UserService } from "../../src/gen/millrace/v1/user_service_pb.ts";
import { systemRandom } from "../../src/runtime/random.ts";
import { ROWS } from "../support/access-rows.ts";
import {
  type CallerName,
  CALLERS,
  createWorld,
  type Ids,
  THINGS,
  type World,
} from "../support/access-world.ts";
import { ENGINES } from "../support/databases.ts";
import type { TestServer } from "../support/server.ts";
import { startServerOn } from "../support/server-on.ts";

const PUBLIC: readonly DescService[] = [
  JobService,
  OrganizationService,
  UserService,
  TokenService,
  JobTypeService,
  ScheduleService,
  MetricsService,
  HookService,
];
const INTERNAL: readonly DescService[] = [RunnerService, JobUpdateService];

const DETAILS: readonly DescMessage[] = [
  ErrorInfoSchema,
  BadRequestSchema,
  PreconditionFailureSchema,
  RetryInfoSchema,
];

const nameOf = (method: DescMethod): string => `${method.parent.typeName}/${method.name}`;

/** How a call was answered: `ok`, or all that its caller learns from the refusal. */
type Heard = { readonly reason: string; readonly code: string; readonly all: string };

const OK: Heard = { reason: "ok", code: "", all: "ok" };

const heardOf = (error: ConnectError): Heard => {
  const details = DETAILS.flatMap((desc) =>
    error.findDetails(desc).map((detail) => toJson(desc, detail)),
  );
  const reason = error.findDetails(ErrorInfoSchema)[0]?.reason ?? "";
  const code = Code[error.code] ?? "";
  return { reason, code, all: JSON.stringify({ code, message: error.rawMessage, details }) };
};

/** Things that are not there. His own organization is there for everybody but a stranger. */
const absentIds = (caller: CallerName, { organization, operational }: Ids): Ids => ({
  ...(Object.fromEntries(THINGS.map((thing) => [thing, systemRandom.uuid()])) as Ids),
  ...(caller === "stranger" ? {} : { organization }),
  operational,
});

const withoutNames = ({ all }: Heard, ids: Ids): string =>
  THINGS.reduce((text, thing) => text.replaceAll(ids[thing], `<${thing}>`), all);

const shown = ({ reason, code, all }: Heard): string => {
  if (reason === "ok") return "ok";
  return reason === "PERMISSION_DENIED" && code === "PermissionDenied" ? "denied" : all;
};

/** `absent` if both refusals say the same, but for the names of the things. */
const asAbsent = (heard: Heard, ids: Ids, absent: Heard, missing: Ids): string => {
  if (heard.code !== "NotFound" || !heard.reason.endsWith("_NOT_FOUND")) return shown(heard);
  const [hidden, expected] = [withoutNames(heard, ids), withoutNames(absent, missing)];
  return hidden === expected ? "absent" : `${hidden}, but of an absent one ${expected}`;
};

const METHODS = [...PUBLIC, ...INTERNAL].flatMap(({ methods }) => methods);

/** All that a client says in a stream. */
async function* alone<T>(request: T): AsyncGenerator<T> {
  yield await Promise.resolve(request);
}

describe.each(ENGINES)("who may call what on %s", (engine) => {
  let server: TestServer;
  let world: World;
  const sessions: Http2SessionManager[] = [];
  const transports = new Map<string, Transport>();

  const transportTo = (baseUrl: string): Transport => {
    const known = transports.get(baseUrl);
    if (known !== undefined) return known;
    const sessionManager = new Http2SessionManager(baseUrl);
    sessions.push(sessionManager);
    const transport = createGrpcTransport({ baseUrl, sessionManager });
    transports.set(baseUrl, transport);
    return transport;
  };

  beforeAll(async () => {
    server = await startServerOn(engine);
    world = await createWorld(server);
  });
  afterAll(async () => {
    for (const session of sessions) session.abort();
    await server.stop();
  });

  const call = async (
    method: DescMethod,
    url: string,
    token: string | null,
    request: object,
  ): Promise<Heard> => {
    const client = createClient(method.parent, transportTo(url)) as unknown as Record<
      string,
      (request: object, options: object) => unknown
    >;
    const stop = new AbortController();
    const headers: Record<string, string> =
      token === null ? {} : { authorization: `Bearer ${token}` };
    try {
      const bidi = method.methodKind === "bidi_streaming";
      const said = bidi ? alone(request) : request;
      const answer = client[method.localName]?.(said, { headers, signal: stop.signal });
      if (bidi) {
        await Array.fromAsync(answer as AsyncIterable<unknown>);
      } else if (method.methodKind === "server_streaming") {
        for await (const _first of answer as AsyncIterable<unknown>) break;
      } else {
        await answer;
      }
      return OK;
    } catch (caught) {
      return heardOf(ConnectError.from(caught));
    } finally {
      stop.abort();
    }
  };

  const urlOf = (method: DescMethod): string =>
    INTERNAL.includes(method.parent) ? server.internalUrl : server.publicUrl;

  /** The services that a listener says it serves, without those that are open to everybody. */
  const servedAt = async (url: string): Promise<string[]> => {
    const { statuses } = await createClient(Health, transportTo(url)).list({});
    return Object.keys(statuses)
      .filter((name) => name !== "" && !OPEN_SERVICES.has(name))
      .toSorted();
  };
  const typeNames = (services: readonly DescService[]): string[] =>
    services.map(({ typeName }) => typeName).toSorted();

  it("each listener serves the services that are walked here, and no other", async () => {
    expect(await servedAt(server.publicUrl)).toEqual(typeNames(PUBLIC));
    expect(await servedAt(server.internalUrl)).toEqual(typeNames(INTERNAL));
  });

  it("every method has a row here and one in the table of access", () => {
    const methods = METHODS.map(nameOf);
    expect(Object.keys(ROWS).toSorted()).toEqual(methods.toSorted());
    expect(Object.keys(ACCESS).toSorted()).toEqual(methods.toSorted());
  });

  it("what is internal is not there on the public listener, for nobody", async () => {
    for (const method of INTERNAL.flatMap(({ methods }) => methods)) {
      for (const token of [null, server.admin.token, server.runnerToken]) {
        expect(await call(method, server.publicUrl, token, {})).toMatchObject({
          code: "Unimplemented",
        });
      }
    }
  });

  const check = async (method: DescMethod, name: string): Promise<void> => {
    const row = ROWS[name];
    if (row === undefined) throw new Error(`${name} has no row`);
    expect(accessTo(method)?.oneOf, name).toEqual(row.needs);
    const url = urlOf(method);
    const unknown = await call(method, url, null, row.request(world.ids));
    expect(unknown, `${name} without a token`).toMatchObject({
      code: "Unauthenticated",
      reason: "UNAUTHENTICATED",
    });

    const answers: Record<string, string> = {};
    for (const caller of CALLERS) {
      const token = await world.tokenOf(caller, row.needs);
      const ids = { ...world.ids, ...(await row.prepare(world)) };
      const heard = await call(method, url, token, row.request(ids));
      const missing = absentIds(caller, ids);
      answers[caller] =
        row.answers[caller] === "absent"
          ? asAbsent(heard, ids, await call(method, url, token, row.request(missing)), missing)
          : shown(heard);
    }
    expect(answers, name).toEqual(row.answers);
  };

  it.each(METHODS.map((method) => [nameOf(method), method] as const))(
    "%s",
    async (name, method) => {
      await check(method, name);
    },
  );
});

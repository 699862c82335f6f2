import type { HandlerContext } from "@connectrpc/connect";

import { Health } from "../gen/grpc/health/v1/health_pb.ts";
import { ServerReflection } from "../gen/grpc/reflection/v1/reflection_pb.ts";
import { ServerReflection as ServerReflectionAlpha } from "../gen/grpc/reflection/v1alpha/reflection_pb.ts";
import type { Authenticator } from "../identity/authenticator.ts";
import type { Caller } from "../identity/caller.ts";
import { JobFault } from "../jobs/errors.ts";
import { type Access, accessTo, type CallerKind } from "./access.ts";
import { callerKey } from "./caller-context.ts";

/** Served to everybody: probes and tools have no token, and learn nothing of anybody's jobs. */
export const OPEN_SERVICES: ReadonlySet<string> = new Set([
  Health.typeName,
  ServerReflection.typeName,
  ServerReflectionAlpha.typeName,
]);

const KINDS = {
  user: "a user's",
  job: "a job's own",
  runner: "a runner's",
  operator: "an operator's",
} as const;

const kindOf = (caller: Caller): CallerKind =>
  caller.kind === "user" && caller.attempt !== null ? "job" : caller.kind;

const denied = (message: string, needs: string): JobFault =>
  new JobFault("PERMISSION_DENIED", message, { metadata: { needs } });

/** @throws JobFault PERMISSION_DENIED, which names what is missing */
const require = (caller: Caller, { kinds, oneOf }: Access): void => {
  const kind = kindOf(caller);
  if (!kinds.includes(kind)) {
    const allowed = kinds.map((one) => KINDS[one]).join(" or ");
    throw denied(`This needs ${allowed} token; yours is ${KINDS[kind]}.`, kinds.join(" "));
  }
  if (caller.kind !== "user" || oneOf.length === 0) return;
  if (oneOf.some((permission) => caller.permissions.has(permission))) return;
  throw denied(
    `This needs ${oneOf.join(" or ")}, which your token does not carry.`,
    oneOf.join(" "),
  );
};

/** @throws JobFault UNAUTHENTICATED, PERMISSION_DENIED */
export const createGate =
  (authenticator: Authenticator) =>
  async (context: HandlerContext): Promise<void> => {
    if (OPEN_SERVICES.has(context.service.typeName)) return;
    const caller = await authenticator.authenticate(context.requestHeader.get("authorization"));
    const access = accessTo(context.method);
    if (access === undefined) throw denied("Nobody was given access to this method.", "nothing");
    require(caller, access);
    context.values.set(callerKey, caller);
  };

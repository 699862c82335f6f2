import type { HandlerContext } from "@connectrpc/connect";

import { Health } from "../gen/grpc/health/v1/health_pb.ts";
import { ServerReflection } from "../gen/grpc/reflection/v1/reflection_pb.ts";
import { ServerReflection as ServerReflectionAlpha } from "../gen/grpc/reflection/v1alpha/reflection_pb.ts";
import type { Authenticator } from "../identity/authenticator.ts";
import { JobFault } from "../jobs/errors.ts";
import type { TokenKind } from "../store/store.ts";
import { callerKey } from "./caller-context.ts";

/**
 * Runs before a byte of the message is read: who may not call costs no memory. Every method needs a
 * token but these: probes have none, and the contract is public.
 */
export const OPEN_SERVICES: ReadonlySet<string> = new Set([
  Health.typeName,
  ServerReflection.typeName,
  ServerReflectionAlpha.typeName,
]);

const WRONG_KIND: Readonly<Record<TokenKind, string>> = {
  user: "A runner's token works on the internal listener only.",
  runner: "Only a runner's token works on the internal listener.",
};

/** @throws JobFault UNAUTHENTICATED, PERMISSION_DENIED */
export const createGate =
  (authenticator: Authenticator, kind: TokenKind) =>
  async (context: HandlerContext): Promise<void> => {
    if (OPEN_SERVICES.has(context.service.typeName)) return;
    const caller = await authenticator.authenticate(context.requestHeader.get("authorization"));
    if (caller.kind !== kind) throw new JobFault("PERMISSION_DENIED", WRONG_KIND[kind]);
    context.values.set(callerKey, caller);
  };

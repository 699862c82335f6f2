import { createContextKey, type HandlerContext } from "@connectrpc/connect";

import type { Caller, UserCaller } from "../identity/caller.ts";
import { JobFault } from "../jobs/errors.ts";

/** Who calls; set by the gate before a handler runs. */
export const callerKey = createContextKey<Caller | null>(null, { description: "the caller" });

/** The network address that the call came from; empty if it is not known. */
export const addressKey = createContextKey("", { description: "the caller's address" });

/** @throws JobFault PERMISSION_DENIED: only users have jobs */
export const userOf = (context: HandlerContext): UserCaller => {
  const caller = context.values.get(callerKey);
  if (caller?.kind === "user") return caller;
  throw new JobFault("PERMISSION_DENIED", "Only a user's token may do this.");
};

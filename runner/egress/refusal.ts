import { HostFault } from "../host-calls.ts";

/** What fetch can throw in a script. The words never tell what a private name resolves to. */
export const denied = (why: string): HostFault => new HostFault("egress.denied", why, "TypeError");

export const failed = (why: string): HostFault => new HostFault("egress.failed", why, "TypeError");

export const timedOut = (why: string): HostFault =>
  new HostFault("egress.timeout", why, "TimeoutError");

export const tooLarge = (why: string): HostFault =>
  new HostFault("egress.too_large", why, "TypeError");

export const tooMany = (why: string): HostFault => new HostFault("quota.fetches", why, "TypeError");

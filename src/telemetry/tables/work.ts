import { oneOf } from "./spec.ts";

/** What kind of work a job is. The names of types are many, and chosen by others. */
export const WORK = ["script", "handler", "command", "other"] as const;

/** Of `script`, `handler:<name>` or `command:<name>`. */
export const workOf = (capability: string): (typeof WORK)[number] =>
  oneOf(WORK, capability.split(":", 1)[0] ?? "", "other");

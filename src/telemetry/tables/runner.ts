import { SECONDS } from "../buckets.ts";
import type { Table } from "./spec.ts";
import { WORK } from "./work.ts";

/** Codes of failures that the runner itself gives; those of scripts and handlers are `other`. */
export const FAILURES = [
  "",
  "timeout.wall",
  "timeout.cpu",
  "memory",
  "runner.crashed",
  "script.threw",
  "handler.threw",
  "command.exit",
  "command.signal",
  "command.not_started",
  "command.not_allowed",
  "input.invalid",
  "script.syntax",
  "script.no_default",
  "script.not_found",
  "script.quarantined",
  "module.not_allowed",
  "module.not_found",
  "result.too_large",
  "result.not_serialisable",
  "egress.denied",
  "egress.timeout",
  "egress.too_large",
  "egress.failed",
  "report.refused",
  "quota",
  "other",
] as const;

export const FETCHES = [
  "ok",
  "egress.denied",
  "egress.timeout",
  "egress.too_large",
  "egress.failed",
  "quota",
  "stopped",
  "other",
] as const;

export const DESTINATIONS = ["upstream", "public", "none"] as const;
export const ENDINGS = ["succeeded", "failed", "cancelled"] as const;
export const KILLS = ["timeout.cpu", "timeout.wall", "memory", "misbehaved"] as const;
export const WEAR = ["attempts", "age", "growth", "clean_up"] as const;

/** What a runner measures. */
export const RUNNER_TABLE = {
  slots: {
    name: "millrace.runner.slots",
    kind: "gauge",
    unit: "{slot}",
    tells: "Attempts that this runner can run at once, and how many of them it does.",
    attributes: { "millrace.slot.state": ["busy", "free"] },
  },
  attempts: {
    name: "millrace.runner.attempts",
    kind: "counter",
    unit: "{attempt}",
    tells:
      "Attempts that ended here. `error.type`: the code of the failure; `other` stands for the codes that authors choose.",
    attributes: {
      "millrace.work": WORK,
      "millrace.attempt.outcome": ENDINGS,
      "error.type": FAILURES,
    },
  },
  attemptDuration: {
    name: "millrace.runner.attempt.duration",
    kind: "histogram",
    unit: "s",
    tells: "Time that an attempt took here.",
    buckets: SECONDS.attempt,
    attributes: { "millrace.work": WORK, "millrace.attempt.outcome": ENDINGS },
  },
  fetches: {
    name: "millrace.runner.egress.duration",
    kind: "histogram",
    unit: "s",
    tells: "Time of a script's fetch, redirects and all. `none`: it was refused before.",
    buckets: SECONDS.call,
    attributes: { "millrace.egress.to": DESTINATIONS, "millrace.egress.outcome": FETCHES },
  },
  sandboxStarts: {
    name: "millrace.runner.sandbox.starts",
    kind: "counter",
    unit: "{process}",
    tells: "Sandbox children that were started.",
    attributes: {},
  },
  sandboxChildren: {
    name: "millrace.runner.sandbox.children",
    kind: "gauge",
    unit: "{process}",
    tells: "Sandbox children of this moment.",
    attributes: { "millrace.sandbox.state": ["starting", "idle", "busy"] },
  },
  sandboxKills: {
    name: "millrace.runner.sandbox.kills",
    kind: "counter",
    unit: "{process}",
    tells:
      "Sandbox children that were killed because of what a script did. `misbehaved`: it crashed, or spoke out of turn.",
    attributes: { "millrace.sandbox.reason": KILLS },
  },
  sandboxWear: {
    name: "millrace.runner.sandbox.worn",
    kind: "counter",
    unit: "{process}",
    tells: "Sandbox children that were replaced because they were worn, and by what.",
    attributes: { "millrace.sandbox.reason": WEAR },
  },
  canaries: {
    name: "millrace.runner.sandbox.canaries",
    kind: "counter",
    unit: "{canary}",
    tells: "Hostile scripts with which the runner proves its sandbox when it starts.",
    attributes: { "millrace.canary.outcome": ["contained", "escaped"] },
  },
  quarantine: {
    name: "millrace.runner.quarantine.refusals",
    kind: "counter",
    unit: "{attempt}",
    tells: "Attempts that were not begun because their script had crashed again and again.",
    attributes: {},
  },
} as const satisfies Table;

import type { SandboxLimits } from "./limits.ts";
import type { ScriptTask } from "./outcome.ts";
import type { Violation } from "./watch.ts";

/**
 * Why an attempt was ended from outside, in sentences for the script's author: the limit, the value,
 * and what changes it.
 */
const MIB = 1024 * 1024;

const mib = (bytes: number): string => `${Math.round(bytes / MIB)} MiB`;

export const explain = (
  what: Violation,
  used: { readonly cpuMs: number; readonly peakMemoryBytes: number },
  task: Pick<ScriptTask, "timeoutMs">,
  limits: SandboxLimits,
): string => {
  switch (what) {
    case "timeout.wall":
      return (
        `the attempt took longer than ${task.timeoutMs} ms, of which it computed for ` +
        `${Math.round(used.cpuMs)} ms; attempt_timeout of the job or of its type sets the limit`
      );
    case "timeout.cpu":
      return (
        `the script computed for ${Math.round(used.cpuMs)} ms; an attempt may for ${limits.cpuMs} ms, ` +
        "which MILLRACE_SCRIPT_CPU_SECONDS of the runner sets"
      );
    case "memory":
      return (
        `the script's process used ${mib(used.peakMemoryBytes)} of memory; ${mib(limits.rssBytes)} ` +
        "are allowed, which MILLRACE_SCRIPT_RSS_MB of the runner sets"
      );
  }
};

/** V8 has ended the isolate at its heap's limit. */
export const explainHeap = (limits: SandboxLimits): string =>
  `the script's heap is full: ${limits.heapMb} MB are allowed, which MILLRACE_SCRIPT_HEAP_MB of the runner sets`;

/** `how` is a signal or an exit code, and nothing else of what the process has said. */
export const explainExit = (how: string): string =>
  `the script's process ended before the script did (${how}); most often V8 was asked for more than ` +
  "it has, such as one string or array of hundreds of megabytes";

export const BROKE_RULES =
  "the script's process said to the runner what no script can say, and was ended";

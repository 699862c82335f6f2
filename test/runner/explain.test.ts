import { describe, expect, it } from "vitest";

import { explain, explainExit, explainHeap } from "../../runner/sandbox/explain.ts";
import { DEFAULT_LIMITS } from "../../runner/sandbox/limits.ts";

const USED = { cpuMs: 5_031.4, peakMemoryBytes: 421 * 2 ** 20 };
const told = (what: "timeout.wall" | "timeout.cpu" | "memory"): string =>
  explain(what, USED, { timeoutMs: 30_000 }, DEFAULT_LIMITS);

describe("what an author is told when his attempt was ended from outside", () => {
  it("names the limit, the value, and what changes it", () => {
    expect(told("timeout.wall")).toBe(
      "the attempt took longer than 30000 ms, of which it computed for 5031 ms; " +
        "attempt_timeout of the job or of its type sets the limit",
    );
    expect(told("timeout.cpu")).toBe(
      "the script computed for 5031 ms; an attempt may for 5000 ms, " +
        "which MILLRACE_SCRIPT_CPU_SECONDS of the runner sets",
    );
    expect(told("memory")).toBe(
      "the script's process used 421 MiB of memory; 400 MiB are allowed, " +
        "which MILLRACE_SCRIPT_RSS_MB of the runner sets",
    );
    expect(explainHeap(DEFAULT_LIMITS)).toContain("64 MB are allowed, which MILLRACE_SCRIPT_HEAP");
    expect(explainExit("SIGABRT")).toContain("ended before the script did (SIGABRT)");
  });
});

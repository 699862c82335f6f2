import type { Ending } from "../executor.ts";

/**
 * The breaker of one script on this runner, as a state machine. Starting a process costs a hundred
 * times what an attempt does, so a script that keeps ending its process is refused for a while: it
 * takes that cost from everybody.
 *
 * Closed (null, or `until` is null) → open, so many crashes in a row → after a pause one attempt is
 * let through → closed if it survives, open for twice as long if not.
 */
export type CrashLoop = {
  /** In a row. */
  readonly crashes: number;
  /** How often it has opened since the script last survived. */
  readonly pauses: number;
  /** When it opened, and until when it stays so. Epoch ms. */
  readonly since: number | null;
  readonly until: number | null;
  /** The attempt that was let through has not ended. */
  readonly trying: boolean;
  /** The last failure's code. */
  readonly code: string;
};

export const CRASHES_TO_OPEN = 5;
export const FIRST_PAUSE_MS = 30_000;
export const LONGEST_PAUSE_MS = 600_000;

/** `refused`: nothing is to be done. `trial`: the outcome of this attempt decides. */
export type Admission = "free" | "trial" | "refused";

export const admit = (
  loop: CrashLoop | null,
  now: number,
): { readonly admission: Admission; readonly loop: CrashLoop | null } => {
  if (loop === null || loop.until === null) return { admission: "free", loop };
  if (loop.trying || now < loop.until) return { admission: "refused", loop };
  return { admission: "trial", loop: { ...loop, trying: true } };
};

/** What the end of an attempt says about its script, as src/shard/breaker.ts judges a type. */
export type Verdict =
  | { readonly kind: "crashed"; readonly code: string }
  | { readonly kind: "survived" }
  /** It was cancelled, or it waited too long for something else. */
  | { readonly kind: "nothing" };

const CRASHES: ReadonlySet<string> = new Set(["runner.crashed", "memory", "timeout.cpu"]);

export const verdictOf = (ending: Ending): Verdict => {
  switch (ending.kind) {
    case "succeeded":
      return { kind: "survived" };
    case "cancelled":
      return { kind: "nothing" };
    case "failed": {
      const { code } = ending.error;
      if (CRASHES.has(code)) return { kind: "crashed", code };
      return code.startsWith("timeout.") ? { kind: "nothing" } : { kind: "survived" };
    }
  }
};

/** After an attempt that was admitted as `admission`. Null: nothing is held against the script. */
export const judge = (
  loop: CrashLoop | null,
  admission: Admission,
  verdict: Verdict,
  now: number,
): CrashLoop | null => {
  // While it is open the trial decides; attempts that were under way before tell nothing new.
  if (loop !== null && loop.until !== null && admission !== "trial") return loop;
  switch (verdict.kind) {
    case "survived":
      return null;
    case "nothing":
      return loop === null ? null : { ...loop, trying: false };
    case "crashed":
      return crashed(loop ?? UNKNOWN, verdict.code, now);
  }
};

const UNKNOWN: CrashLoop = {
  crashes: 0,
  pauses: 0,
  since: null,
  until: null,
  trying: false,
  code: "",
};

const crashed = (before: CrashLoop, code: string, now: number): CrashLoop => {
  const loop = { ...before, crashes: before.crashes + 1, code };
  if (loop.crashes < CRASHES_TO_OPEN) return loop;
  const pause = Math.min(LONGEST_PAUSE_MS, FIRST_PAUSE_MS * 2 ** before.pauses);
  return {
    ...loop,
    pauses: before.pauses + 1,
    since: before.since ?? now,
    until: now + pause,
    trying: false,
  };
};

/** Why a script is refused, for its author. */
export const sentenceOf = (loop: CrashLoop): string => {
  const since = new Date(loop.since ?? 0).toISOString();
  const until = new Date(loop.until ?? 0).toISOString();
  const end = loop.trying ? "until the attempt that tries it again has ended" : `until ${until}`;
  return (
    `the last ${loop.crashes} attempts of this script on this runner ended their process ` +
    `(the last one: ${loop.code}); it has been refused since ${since}, ${end}`
  );
};

import type { Clock } from "../../src/runtime/clock.ts";
import { type Ending, type Report, silentReport } from "../executor.ts";
import type { Canary } from "./canaries.ts";
import type { SandboxLimits } from "./limits.ts";
import type { ScriptTask } from "./outcome.ts";

/** How a canary fared. `got` is to be read beside `wanted`. */
export type Proof = {
  readonly tries: string;
  readonly wanted: string;
  readonly got: string;
  readonly contained: boolean;
  readonly ms: number;
};

/** Runs one attempt in a child; `gone` resolves when that child's process is. */
export type Attempt = (
  task: ScriptTask,
  report: Report,
  limits: SandboxLimits,
) => Promise<{ readonly ending: Ending; readonly gone: Promise<unknown> }>;

/** SIGKILL takes a few milliseconds, on a busy machine more. */
const GONE_WITHIN_MS = 10_000;
/** One row of the guest's own says that there was more. */
const NOTICE = 2;

/** Ended by a signal, if all is well. */
const KILLED: ReadonlySet<string> = new Set(["timeout.cpu", "timeout.wall", "memory"]);

/** Runs the canaries, `atOnce` of them at once. Answers in their order. */
export const prove = async (
  canaries: readonly Canary[],
  attempt: Attempt,
  limits: SandboxLimits,
  clock: Clock,
  atOnce: number,
): Promise<readonly Proof[]> => {
  const proofs = new Map<Canary, Proof>();
  const left = canaries.values();
  const lane = async (): Promise<void> => {
    for (const canary of left) proofs.set(canary, await proveOne(canary, attempt, limits, clock));
  };
  await Promise.all(Array.from({ length: atOnce }, lane));
  return canaries.flatMap((canary) => proofs.get(canary) ?? []);
};

const proveOne = async (
  canary: Canary,
  attempt: Attempt,
  limits: SandboxLimits,
  clock: Clock,
): Promise<Proof> => {
  const started = clock.monotonic();
  const { tries, wanted } = canary;
  let rows = 0;
  const report = {
    ...silentReport,
    output: () => {
      rows += 1;
    },
  };
  const { ending, gone } = await attempt(taskOf(canary), report, { ...limits, ...canary.bounds });
  const ended = ending.kind === "failed" ? ending.error.code : ending.kind;
  const wrong = async (): Promise<string | null> => {
    if (!wanted.includes(ended)) return ended;
    if (ending.kind === "succeeded" && canary.result !== null && ending.result !== canary.result) {
      return `${ended} with ${ending.result.slice(0, 200)}`;
    }
    if (rows > limits.outputLines + NOTICE) return `${ended} after ${rows} rows`;
    const alive = KILLED.has(ended) && !(await within(gone, GONE_WITHIN_MS, clock));
    return alive ? `${ended}, but its process lives on` : null;
  };
  const got = await wrong();
  return {
    tries,
    wanted: wanted.join(" or "),
    got: got ?? ended,
    contained: got === null,
    ms: clock.monotonic() - started,
  };
};

const within = async (event: Promise<unknown>, ms: number, clock: Clock): Promise<boolean> =>
  await new Promise((resolve) => {
    const cancel = clock.after(ms, () => {
      resolve(false);
    });
    void event.then(() => {
      cancel();
      resolve(true);
    });
  });

/** Of no organization: its child is never used for another, where organizations do not share. */
const taskOf = ({ code, timeoutMs }: Canary): ScriptTask => ({
  organizationId: "canary",
  jobId: "canary",
  attempt: 1,
  scriptHash: "",
  code,
  fileName: "script.js",
  input: "null",
  timeoutMs,
  calls: new Map(),
  secrets: {},
});

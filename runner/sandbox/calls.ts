import { context } from "@opentelemetry/api";
import { ZodError } from "zod";

import { AttemptStopped } from "../executor.ts";
import { type HostCalls, HostFault } from "../host-calls.ts";
import type { FromChild, ToChild } from "./protocol.ts";

type Call = Extract<FromChild, { readonly op: "call" }>;
type Reply = Extract<ToChild, { readonly op: "reply" }>;

/** The calls of one attempt that are under way. */
export type OpenCalls = {
  /** False: no honest guest asks for so much. */
  take(call: Call): boolean;
  /** The attempt is over: what is under way is given up, and not answered. */
  stop(): void;
};

const MI = 1024 * 1024;

/**
 * The guest keeps to these; who goes beyond them is not our guest. `payload` is a fetch with a body
 * of 1 MiB in base64 and all headers, `payloads` 50 of them and the steps of a job.
 */
export const CALL_LIMITS = {
  total: 10_000,
  atOnce: 1_000,
  payload: 1.5 * MI,
  payloads: 96 * MI,
} as const;

export const createOpenCalls = (
  calls: HostCalls,
  reply: (reply: Omit<Reply, "op" | "id">, taken: () => void) => void,
  odd: (cause: unknown) => void,
): OpenCalls => {
  const over = new AbortController();
  let total = 0;
  let open = 0;
  let chars = 0;
  let stopped = false;

  const answerOne = async ({ call, name, payload }: Call): Promise<void> => {
    const waiting: (() => void)[] = [];
    const taken = (): void => {
      for (const run of waiting) run();
    };
    const answered = await ask(calls, name, payload, over.signal, odd, (run) => waiting.push(run));
    open -= 1;
    if (stopped) taken();
    else reply({ call, ...answered }, taken);
  };

  // Calls come by the channel to the child, which knows nothing of attempts: each would be part of
  // whatever trace the child was started in.
  const answer = context.bind(context.active(), answerOne);

  return {
    take: (call) => {
      total += 1;
      open += 1;
      chars += call.payload.length;
      if (total > CALL_LIMITS.total || open > CALL_LIMITS.atOnce) return false;
      if (call.payload.length > CALL_LIMITS.payload || chars > CALL_LIMITS.payloads) return false;
      void answer(call);
      return true;
    },
    stop: () => {
      // An error with its stack is dear, and most attempts have nobody to tell it.
      if (open > 0) over.abort(new AttemptStopped("forgotten"));
      stopped = true;
    },
  };
};

type Answer = Pick<Reply, "ok" | "payload">;

const ask = async (
  calls: HostCalls,
  name: string,
  payload: string,
  signal: AbortSignal,
  odd: (cause: unknown) => void,
  whenTaken: (run: () => void) => void,
): Promise<Answer> => {
  try {
    const call = calls.get(name);
    if (call === undefined) throw new HostFault("script.threw", `there is no ${name} here`);
    const value = await call(JSON.parse(payload), signal, whenTaken);
    return { ok: true, payload: JSON.stringify(value ?? null) };
  } catch (cause) {
    if (cause instanceof HostFault) return refusal(cause);
    // A script that gives objects a `toJSON` asks such things; told to our log, they would flood it.
    if (cause instanceof ZodError || cause instanceof SyntaxError) {
      return refusal(new HostFault("script.threw", `what was asked of ${name} makes no sense`));
    }
    if (!signal.aborted) odd(cause);
    return refusal(new HostFault("runner.crashed", `${name} did not work`));
  }
};

const refusal = ({ code, message, errorName }: HostFault): Answer => ({
  ok: false,
  payload: JSON.stringify({ code, message, name: errorName }),
});

import { once } from "node:events";

import { handlerExecutors } from "../../../runner/executors/handlers.ts";
import type { Handler, HandlerContext, Json } from "../../../runner/handler.ts";
import { createRunner } from "../../../runner/index.ts";
import { silentLog } from "../../../src/runtime/log.ts";
import { HANDLER_OPTIONS } from "../../support/runner-under-test.ts";
import { GRACE_MS, type Subject, type WorkName } from "./subject.ts";

const ENDLESS = "code of the runner's own process cannot be stopped while it computes";
const OWN_PROCESS = "its process is the runner";

const printTo = (ctx: HandlerContext, rows: number): void => {
  for (let row = 1; row <= rows; row++) ctx.output(String(row));
};

const HANDLERS: Readonly<Record<Exclude<WorkName, "busy" | "crashes">, Handler>> = {
  answers: { execute: ({ input }) => input as Json },
  prints: {
    execute: (_, ctx) => {
      printTo(ctx, 500);
    },
  },
  floods: {
    execute: (_, ctx) => {
      printTo(ctx, 2_500);
    },
  },
  progresses: {
    execute: (_, ctx) => {
      ctx.progress({ done: 1, total: 2, message: "halfway" });
      ctx.progress(1);
    },
  },
  ends: {
    execute: (_, ctx) => {
      ctx.output("ending");
    },
  },
  waits: {
    execute: async (_, ctx) => {
      ctx.output("waiting");
      if (!ctx.signal.aborted) await once(ctx.signal, "abort");
      ctx.output("tidied");
    },
  },
  works: {
    execute: async (_, ctx) => {
      ctx.output("working");
      await ctx.sleep(200);
    },
  },
  stubborn: {
    execute: async (_, ctx) => {
      ctx.output("waiting");
      await new Promise(() => {});
    },
  },
  fails: {
    execute: () => {
      throw new Error("no good");
    },
  },
  fails_for_good: {
    execute: () => {
      throw Object.assign(new Error("no good"), { retryable: false });
    },
  },
  breaks: {
    execute: () => {
      throw Object.create(null);
    },
  },
  large: { execute: () => "x".repeat(1024 * 1024) },
  deep: { execute: () => JSON.parse("[".repeat(31) + "]".repeat(31)) as Json },
  speaks_late: {
    execute: (_, ctx) => {
      setTimeout(() => {
        ctx.output("late");
        ctx.progress(1);
        ctx.log("late");
      }, 5);
    },
  },
  steps: {
    execute: async ({ attempt }, ctx) => {
      const ran: string[] = [];
      await ctx.step("a", () => void ran.push("a"));
      if (attempt === 1) throw new Error("not yet");
      await ctx.step("b", () => void ran.push("b"));
      return ran;
    },
  },
};

export const handlers: Subject = {
  name: "handlers",
  lacks: { busy: ENDLESS, crashes: OWN_PROCESS },
  codes: { failed: "handler.threw", crashed: [] },
  assigned: (work) => ({ capability: `handler:${work}`, scriptHash: "" }),
  start: async () =>
    await Promise.resolve({
      executors: handlerExecutors(HANDLERS, { ...HANDLER_OPTIONS, graceMs: GRACE_MS }),
      stop: async () => {},
    }),
  runnerFor: (server, drainMs) =>
    createRunner({
      url: server.url(),
      credential: server.token,
      log: silentLog,
      drainSeconds: drainMs / 1_000,
      handlers: HANDLERS,
    }),
};

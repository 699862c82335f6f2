import { describe, expectTypeOf, it } from "vitest";
import { z } from "zod";

import {
  createRunner,
  defineHandler,
  type InputOf,
  type Job,
  type ResultOf,
} from "../../runner/index.ts";

const square = defineHandler({
  input: z.object({ side: z.number(), tags: z.array(z.string()).default([]) }),
  execute: async ({ input }) => await Promise.resolve({ area: input.side ** 2 }),
});

describe("the types of a runner application", () => {
  it("give a job's input the type that its schema makes of it", () => {
    createRunner({
      url: "http://127.0.0.1:1",
      credential: "t",
      handlers: {
        letter: {
          input: z.object({ to: z.string(), at: z.string().transform((at) => new Date(at)) }),
          execute: (job, ctx) => {
            expectTypeOf(job).toEqualTypeOf<Job<{ to: string; at: Date }>>();
            expectTypeOf(ctx.signal).toEqualTypeOf<AbortSignal>();
            return { to: job.input.to };
          },
        },
        free: {
          execute: async (job, ctx) => {
            expectTypeOf(job.input).toBeUnknown();
            expectTypeOf(await ctx.step("make", () => ({ id: 1 }))).toEqualTypeOf<{ id: number }>();
          },
        },
        square,
      },
    });
  });

  it("tell those who submit what goes in and what comes out", () => {
    expectTypeOf<InputOf<typeof square>>().toEqualTypeOf<{
      side: number;
      tags?: string[] | undefined;
    }>();
    expectTypeOf<ResultOf<typeof square>>().toEqualTypeOf<{ area: number }>();
  });

  it("refuse a result that JSON cannot hold", () => {
    // @ts-expect-error: a Map would become {}
    defineHandler({ execute: () => new Map([["a", 1]]) });
    // @ts-expect-error: functions are left out
    defineHandler({ execute: () => ({ run: () => 1 }) });
    // @ts-expect-error: a BigInt cannot be written
    defineHandler({ execute: async () => await Promise.resolve(1n) });
  });
});

import { type Attack, type Outcome, script } from "./attack.ts";

const cancelled: Outcome = { kind: "cancelled" };
/** On a busy machine the cancellation may come after all of its processor time. */
const cancelledOrSpent: Outcome = { kind: "cancelled", computes: true };
/** Who ends at the same moment has ended in the one way or the other. */
const cancelledOr = (ended: unknown): Outcome => ({ kind: "cancelled", or: ended });

/** `body` after the row that brings the cancellation. */
const after = (body: string): string => script(`console.log("on"); ${body}`);

const WHEN_IT_PRINTS = "when it prints" as const;

/** Scripts that do not want to be cancelled. */
export const cancellation: readonly Attack[] = [
  { name: "a loop", code: after("for (;;);"), cancel: WHEN_IT_PRINTS, outcome: cancelledOrSpent },
  {
    name: "a promise that never settles",
    code: after("await new Promise(() => {});"),
    cancel: WHEN_IT_PRINTS,
    outcome: cancelled,
  },
  {
    name: "a fetch that does not end",
    code: after("await fetch('upstream://core/never');"),
    cancel: WHEN_IT_PRINTS,
    outcome: cancelled,
  },
  {
    name: "a sleep that is begun again whenever it ends",
    code: after("for (;;) try { await ctx.sleep(1); } catch {}"),
    cancel: WHEN_IT_PRINTS,
    outcome: cancelledOrSpent,
  },
  {
    name: "calls to the host without end",
    code: after("for (let i = 0; ; i++) try { await ctx.step('s' + i, () => 1); } catch {}"),
    cancel: WHEN_IT_PRINTS,
    outcome: cancelledOrSpent,
  },
  {
    name: "a result after the cancellation",
    code: after("try { await ctx.sleep(1e6); } catch {} return 'a result';"),
    cancel: WHEN_IT_PRINTS,
    outcome: cancelled,
  },
  {
    name: "an error after the cancellation",
    code: after("try { await ctx.sleep(1e6); } catch { throw new Error('mine'); }"),
    cancel: WHEN_IT_PRINTS,
    outcome: cancelled,
  },
  {
    name: "a listener that loops",
    code: after("ctx.signal.addEventListener('abort', () => { for (;;); }); await ctx.sleep(1e6);"),
    cancel: WHEN_IT_PRINTS,
    outcome: cancelled,
  },
  {
    name: "a listener that throws",
    code: after(
      "ctx.signal.addEventListener('abort', () => { throw new Error('mine'); }); await new Promise(() => {});",
    ),
    cancel: WHEN_IT_PRINTS,
    outcome: cancelled,
  },
  {
    name: "listeners that add and remove listeners",
    code: after(`
      const again = () => { for (let i = 0; i < 10; i++) ctx.signal.addEventListener("abort", () => again()); ctx.signal.removeEventListener("abort", again); };
      ctx.signal.addEventListener("abort", again);
      ctx.signal.onabort = () => { ctx.signal.onabort = again; again(); };
      await new Promise(() => {});
    `),
    cancel: WHEN_IT_PRINTS,
    outcome: cancelled,
  },
  {
    name: "a flood of output instead of an end",
    // Beyond its limit of rows it goes on slowly: its CPU time must not end before it is cancelled.
    code: after(
      "for (let i = 0; ; i++) { ctx.log(i); ctx.progress(i / 1e9); await (i < 3_000 ? 0 : ctx.sleep(5)); }",
    ),
    cancel: WHEN_IT_PRINTS,
    outcome: cancelledOrSpent,
  },
  {
    name: "an end at the moment of the cancellation",
    code: after("return 1;"),
    cancel: WHEN_IT_PRINTS,
    outcome: cancelledOr(1),
  },
  {
    name: "twenty cancellations at once",
    code: after("await ctx.sleep(1e6);"),
    cancel: "again and again",
    outcome: cancelled,
  },
  ...Array.from({ length: 4 }, (_, index) => ({
    name: `a cancellation before it has begun, or as it begins (${index + 1})`,
    code: script(`return ${index};`),
    cancel: "at once" as const,
    outcome: cancelledOr(index),
  })),
];

import { z } from "zod";

// Where the package is installed: from "millrace/runner".
import { defineHandler } from "../../runner/index.ts";

const line = z.object({ article: z.string(), count: z.int().positive(), cents: z.int() });

const money = (cents: number): string => (cents / 100).toFixed(2).padStart(12);

/** Three steps, each told as progress. The input has the type that the schema gives it. */
export const renderInvoice = defineHandler({
  input: z.object({ number: z.string(), customer: z.string(), lines: z.array(line).min(1) }),
  execute: async ({ input }, ctx) => {
    ctx.progress({ step: 1, steps: 3, message: "adding up" });
    const net = input.lines.reduce((sum, { count, cents }) => sum + count * cents, 0);
    const gross = Math.round(net * 1.19);

    ctx.progress({ step: 2, message: "setting" });
    const rows: string[] = [];
    for (const [index, { article, count, cents }] of input.lines.entries()) {
      // Work that takes time waits with the signal: a cancellation ends it at once.
      await ctx.sleep(50);
      rows.push(`${article.padEnd(30)} ${String(count).padStart(4)} ${money(count * cents)}`);
      ctx.progress({ done: index + 1, total: input.lines.length });
    }

    ctx.progress({ step: 3, message: "printing" });
    const text = [
      `Invoice ${input.number} for ${input.customer}`,
      ...rows,
      `${"net".padEnd(35)} ${money(net)}`,
      `${"with 19 % VAT".padEnd(35)} ${money(gross)}`,
    ].join("\n");
    ctx.output(text);
    return { number: input.number, cents: gross, text };
  },
});

/** A job that imports another script of its organization, and a library. */
import { inEuro, type Line, totalOf } from "script:money";
import { z } from "zod";

import type { Context } from "../../../types/guest.d.ts";

const Input = z.object({
  customer: z.string().min(1),
  lines: z.array(z.object({ text: z.string(), cents: z.int() })),
});

export default function invoice(input: unknown, ctx: Context) {
  const { customer, lines } = Input.parse(input);
  for (const line of lines satisfies readonly Line[]) {
    ctx.output(`${line.text}: ${inEuro(line.cents)}`);
  }
  return { customer, total: inEuro(totalOf(lines)) };
}

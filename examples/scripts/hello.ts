/** The smallest script worth watching. */
import type { Context } from "../../types/guest.d.ts";

export default async function hello(input: { readonly name?: string } | null, ctx: Context) {
  const name = input?.name ?? "world";
  for (let step = 1; step <= 3; step += 1) {
    ctx.progress({ done: step, total: 3, message: `step ${step}` });
    console.log(`greeting ${name} for the ${step}. time`);
    await ctx.sleep(200);
  }
  return `Hello, ${name}!`;
}

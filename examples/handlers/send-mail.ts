import { z } from "zod";

import { defineHandler, JobError } from "../../runner/index.ts";
import { type PostOffice, UnknownRecipient } from "./post-office.ts";

/** What may fail later must not send a second mail: a step that has ended is not run again. */
export const sendMail = (office: PostOffice) =>
  defineHandler({
    input: z.object({ to: z.email(), subject: z.string().min(1) }),
    execute: async ({ input, attempt }, ctx) => {
      const receipt = await ctx.step("deliver", async () => {
        try {
          return await office.deliver(input.to, input.subject);
        } catch (cause) {
          if (!(cause instanceof UnknownRecipient)) throw cause;
          // Another attempt would hear the same.
          throw new JobError("mail.rejected", cause.message, { retryable: false, cause });
        }
      });
      ctx.log("attempt", attempt, "has", receipt);
      await office.archive(receipt.receipt);
      return { ...receipt, sent: office.sent() };
    },
  });

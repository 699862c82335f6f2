import { Webhook } from "standardwebhooks";

import type { DeliveryRow, SigningSecretRow } from "../jobs/delivery.ts";
import type { JsonText, Millis } from "../jobs/job.ts";
import type { Message } from "../outgoing/post.ts";

const SECOND = 1_000;

/** One try as Standard Webhooks has it: the same id at each, and a signature of every secret. */
export const signedMessage = (
  { id, url }: DeliveryRow,
  body: JsonText,
  secrets: readonly Pick<SigningSecretRow, "secret">[],
  now: Millis,
): Message => {
  const sign = ({ secret }: Pick<SigningSecretRow, "secret">): string =>
    new Webhook(secret).sign(id, new Date(now), body);
  return {
    url,
    body,
    headers: {
      "content-type": "application/json",
      "user-agent": "millrace",
      "webhook-id": id,
      "webhook-timestamp": String(Math.floor(now / SECOND)),
      // The newest first: most receivers know it.
      "webhook-signature": secrets.toReversed().map(sign).join(" "),
    },
  };
};

import type { Millis } from "../jobs/job.ts";
import type { Answer } from "../outgoing/post.ts";
import type { Tried } from "../shard/commands/delivery.ts";

export type Verdict = Pick<Tried, "verdict" | "status" | "error" | "notBefore">;

const GONE = 410;

/** Seconds, or a date (RFC 9110); null for anything else. */
const notBefore = (retryAfter: string, now: Millis): Millis | null => {
  if (/^\d{1,9}$/.test(retryAfter)) return now + Number(retryAfter) * 1_000;
  const date = /[a-z]/i.test(retryAfter) ? Date.parse(retryAfter) : Number.NaN;
  return Number.isNaN(date) ? null : date;
};

const why = ({ status, error }: Answer): string => {
  if (status === 0) return error;
  if (status >= 300 && status < 400) return `The receiver redirects (${status}): not followed.`;
  if (status === GONE) return "The receiver answered 410 Gone: it wants no more of this.";
  return `The receiver answered ${status}.`;
};

/** What an answer means for the notice. */
export const verdictOf = (answer: Answer, now: Millis): Verdict => {
  const { status, retryAfter } = answer;
  if (status >= 200 && status < 300) {
    return { verdict: "delivered", status, error: "", notBefore: null };
  }
  return {
    verdict: status === GONE ? "gone" : "failed",
    status,
    error: why(answer),
    notBefore: notBefore(retryAfter, now),
  };
};

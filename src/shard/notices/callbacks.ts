import type { DeliveryId } from "../../jobs/ids.ts";
import type { JobRow } from "../../jobs/job.ts";
import { jobEvent, jobNotice, originOfUrl, owedNotice } from "../../jobs/notice.ts";
import { hasEnded } from "../../jobs/states.ts";
import type { Turn } from "../turn.ts";

/**
 * Every job with a callback that ended in this turn owes a notice, in the same commit. One that was
 * given another attempt by hand, and ends again, owes another.
 */
export const noteCallbacks = (turn: Turn): void => {
  for (const [{ row }] of turn.touched()) {
    // A job that had ended before this turn is touched only if it was brought back to life.
    if (row.callbackUrl !== "" && hasEnded(row.state)) owe(turn, row);
  }
};

const owe = (turn: Turn, row: JobRow): void => {
  const { organizationId, id: jobId, attempt, callbackUrl: url } = row;
  turn.notices.put(
    owedNotice(
      {
        organizationId,
        id: turn.newId() as DeliveryId,
        event: jobEvent(row),
        jobId,
        attempt: row.state === "SUCCEEDED" ? attempt : 0,
        hookId: "",
        url,
        origin: originOfUrl(url),
        jobType: "",
        body: jobNotice(row, turn.now),
      },
      turn.now,
    ),
  );
};

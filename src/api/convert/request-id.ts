import { LIMITS } from "../../jobs/limits.ts";
import { CHILD_REQUEST } from "../../jobs/submission.ts";
import type { Faults } from "./faults.ts";
import { text } from "./fields.ts";

/** `ofAttempt`: a running job says it. Nobody else takes the ids that its children have. */
export const checkRequestId = (faults: Faults, id: string, ofAttempt: boolean): void => {
  text(faults, "request_id", id, LIMITS.requestIdLength);
  if (id.startsWith(CHILD_REQUEST) && !ofAttempt) {
    faults.add("request_id", `must not begin with ${CHILD_REQUEST} (jobs of jobs have such ids).`);
  }
};

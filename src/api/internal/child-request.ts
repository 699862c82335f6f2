import { createHash } from "node:crypto";

import type { JobId } from "../../jobs/ids.ts";
import type { RequestRow } from "../../jobs/job.ts";
import { CHILD_REQUEST } from "../../jobs/submission.ts";

const digest = (value: string): string => createHash("sha256").update(value).digest("hex");

/** Of a parent, a name is one child for all attempts, whatever they would submit by it. */
export const childRequest = (
  parentId: JobId,
  name: string,
): Pick<RequestRow, "requestId" | "fingerprint"> => ({
  requestId: `${CHILD_REQUEST}${parentId}:${digest(name).slice(0, 32)}`,
  fingerprint: digest(`child of ${parentId}`),
});

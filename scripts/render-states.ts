import { writeFileSync } from "node:fs";
import { pathToFileURL } from "node:url";

import { hasEnded, INITIAL_STATES, JOB_STATES, TRANSITIONS } from "../src/jobs/states.ts";

const MEANING = {
  HELD: "waits for a release by its operational user",
  BLOCKED: "waits for other jobs of its workflow",
  SCHEDULED: "waits for its `run_at`",
  QUEUED: "ready; waits for a free slot and for its limits",
  RUNNING: "an attempt is under way",
  RETRYING: "an attempt failed; waits for the end of the backoff",
  SUCCEEDED: "ended with a result",
  FAILED: "ended without a result",
  CANCELLED: "ended because somebody cancelled it",
} as const;

/** docs/states.md, from the table that the code obeys. `node scripts/render-states.ts` writes it. */
export const renderStates = (): string => {
  const rows = JOB_STATES.flatMap((from) =>
    Object.entries(TRANSITIONS[from]).map(
      ([event, targets]) => `| ${from} | ${event} | ${targets.join(", ")} |`,
    ),
  );
  return `# The states of a job

Made by \`node scripts/render-states.ts\` from \`src/jobs/states.ts\`; a test compares the two.

| State | A job in it |
| --- | --- |
${JOB_STATES.map((state) => `| ${state} | ${MEANING[state]}${hasEnded(state) ? " (ended)" : ""} |`).join("\n")}

A job is born ${INITIAL_STATES.join(", ")}.

| From | Event | To |
| --- | --- | --- |
${rows.join("\n")}

Everything that is not in this table is refused. A running attempt that is asked to cancel stays
RUNNING, with \`cancel_requested\` set, until its runner has stopped it: a concurrency key is free only
when nothing runs under it any more. Whatever such an attempt still comes to, the job is CANCELLED.
`;
};

if (import.meta.url === pathToFileURL(process.argv[1] ?? "").href) {
  writeFileSync(new URL("../docs/states.md", import.meta.url), renderStates());
}

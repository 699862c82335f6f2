import { describe, test } from "vitest";

import { ENGINES } from "../support/databases.ts";
import { familiesSurvive } from "./kills/families.ts";
import { jobsSurvive } from "./kills/jobs.ts";
import { workflowSurvives } from "./kills/workflow.ts";

/** They wait for leases and lost runners for most of their time: so they wait together. */
describe.concurrent("every acknowledged job ends exactly once", () => {
  test.each(ENGINES)(
    "when the server, a sandbox child and the runner are killed among a hundred jobs, on %s",
    jobsSurvive,
  );
  test.each(ENGINES)(
    "when the server and a runner are killed in the middle of a workflow, on %s",
    workflowSurvives,
  );
  test.each(ENGINES)(
    "when the runner and the server are killed while parents wait for their children, on %s",
    familiesSurvive,
  );
});

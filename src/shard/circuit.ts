import type { AttemptRow } from "../jobs/job.ts";
import { closed, crashed, verdictOf } from "./breaker.ts";
import type { Organization } from "./organization.ts";
import type { Turn } from "./turn.ts";

/**
 * Opens and closes the breakers of types by the attempts that ended in this turn (row B9). Attempts
 * that were lost together went down with one runner: for each type they count as one crash.
 */
export const judgeTypes = (turn: Turn): void => {
  const lost = new Set<string>();
  for (const attempt of turn.attempts) {
    const type = turn.row(attempt.organizationId, attempt.jobId)?.type ?? "";
    const organization = turn.state.organization(attempt.organizationId);
    if (type === "" || organization === undefined) continue;
    if (attempt.outcome === "LOST") {
      const key = `${attempt.organizationId}/${type}`;
      if (lost.has(key)) continue;
      lost.add(key);
    }
    judge(turn, organization, type, attempt);
  }
};

const judge = (turn: Turn, organization: Organization, type: string, attempt: AttemptRow): void => {
  const before = organization.breaker(type);
  const key = { organizationId: organization.id, type };
  switch (verdictOf(attempt)) {
    case "nothing":
      return;
    case "survived":
      if (before !== null) turn.setBreaker(organization, closed(key));
      return;
    case "crashed": {
      const what = attempt.error?.code ?? "its runner was lost";
      turn.setBreaker(organization, crashed(before, key, what, turn.now));
    }
  }
};

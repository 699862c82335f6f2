import type { Actor } from "../../jobs/audit.ts";
import type { OrganizationId } from "../../jobs/ids.ts";
import { closed } from "../breaker.ts";
import type { Command } from "./command.ts";

/**
 * Lets a type run again that was paused because it kept crashing. Of one that is not paused it
 * forgets the crashes. Whether there is such a type is for the catalog to say.
 */
export const resumeType = (
  organizationId: OrganizationId,
  type: string,
  by: Actor,
): Command<void> => ({
  weight: 1,
  bytes: 0,
  want: (state, wanted) => {
    if (state.organization(organizationId) === undefined) {
      wanted.organizations.push(organizationId);
    }
  },
  apply: (turn) => {
    const organization = turn.state.organization(organizationId);
    if (organization === undefined || organization.breaker(type) === null) return;
    turn.setBreaker(organization, closed({ organizationId, type }));
    turn.audit(organizationId, { actor: by, action: "type.resume", subject: type, details: null });
  },
});

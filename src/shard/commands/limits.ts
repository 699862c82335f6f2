import type { OrganizationId } from "../../jobs/ids.ts";
import type { Command } from "./command.ts";

/**
 * The organization's limits have changed: the turn reads them anew, and places jobs by them. Of
 * an organization that is not in memory nothing is read: its next submission does.
 */
export const reloadLimits = (organizationId: OrganizationId): Command<void> => ({
  weight: 1,
  bytes: 0,
  want: (state, wanted) => {
    if (state.organization(organizationId) !== undefined) wanted.organizations.push(organizationId);
  },
  apply: () => {},
});

import type { OrganizationId } from "../../jobs/ids.ts";
import type { Command } from "./command.ts";

/**
 * Reads the limits of these organizations anew, as far as they are loaded; `admit` lets them count.
 * Lower ones stop nothing that runs; higher ones let jobs start in the same turn.
 */
export const configure = (organizationIds: readonly OrganizationId[] | "all"): Command<void> => ({
  weight: 1,
  bytes: 0,
  want: (state, wanted) => {
    if (organizationIds === "all") {
      for (const { id } of state.organizations()) wanted.organizations.push(id);
      return;
    }
    for (const id of organizationIds) {
      if (state.organization(id) !== undefined) wanted.organizations.push(id);
    }
  },
  apply: () => {},
});

import { JobFault } from "../jobs/errors.ts";
import type { UserId } from "../jobs/ids.ts";
import type { UserCaller } from "./caller.ts";
import type { KnownUsers } from "./known-users.ts";

/** For whom a job acts (row C4). */
export type OperationalUser = {
  /** Empty for a job of the organization itself. */
  readonly userId: UserId | "";
  /** His actions are deferred: the job is HELD until it is released. */
  readonly deferred: boolean;
};

/**
 * The user that `runAs` names, or the caller himself if it is empty. Null if the organization has no
 * such user or he is disabled. Who may not act for others learns nothing of them.
 * @throws JobFault PERMISSION_DENIED
 */
export const findOperationalUser = async (
  users: KnownUsers,
  caller: Pick<UserCaller, "organizationId" | "userId" | "permissions">,
  runAs: string,
): Promise<OperationalUser | null> => {
  const { organizationId, userId, permissions } = caller;
  const wanted = runAs === "" ? userId : runAs;
  if (wanted !== userId && !permissions.has("jobs:run-as")) {
    throw new JobFault(
      "PERMISSION_DENIED",
      "Acting for another user needs jobs:run-as, which your token does not carry.",
      { metadata: { needs: "jobs:run-as" } },
    );
  }
  if (wanted === "") return { userId: "", deferred: false };
  const known = await users.find(organizationId, wanted);
  if (known === null || known.row.disabledAt !== null) return null;
  return { userId: known.row.id, deferred: known.deferred };
};

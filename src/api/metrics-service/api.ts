import type { HandlerContext } from "@connectrpc/connect";

import type { UserCaller } from "../../identity/caller.ts";
import { remember } from "../../identity/remember.ts";
import type { Actor } from "../../jobs/audit.ts";
import { JobFault } from "../../jobs/errors.ts";
import type { OrganizationId, UserId } from "../../jobs/ids.ts";
import type { Metric, MetricGrantRow } from "../../jobs/metric.ts";
import { beyond, type Reach } from "../../metrics/reach.ts";
import type { MetricStore, Place } from "../../store/store.ts";
import { addressKey, userOf } from "../caller-context.ts";
import { placeOf, type TenantApi } from "../scope.ts";

/** So long a server goes by the grants that it knows: a change counts everywhere within 5 s. */
const KEEP_MS = 2_000;
const MOST_KNOWN = 5_000;

/** What was granted to a user and to everybody; to everybody alone, if no user is named. */
export type KnownGrants = {
  of(organizationId: OrganizationId, userId: UserId | ""): Promise<readonly MetricGrantRow[]>;
  /** Something was granted or taken back here: it counts at once. */
  changed(): void;
};

/** What the handlers of MetricsService work with. */
export type MetricsApi = {
  readonly tenants: TenantApi;
  readonly metrics: MetricStore;
  readonly grants: KnownGrants;
};

export const createKnownGrants = (
  tenants: Pick<TenantApi, "router" | "clock">,
  metrics: Pick<MetricStore, "grantsOf">,
): KnownGrants => {
  const memory = remember<readonly MetricGrantRow[]>({
    clock: tenants.clock,
    keepMs: KEEP_MS,
    max: MOST_KNOWN,
    read: async (key) => {
      const [organizationId, userId] = key.split("/") as [OrganizationId, UserId | ""];
      const place = { shardId: tenants.router.shardOf(organizationId), organizationId };
      return await metrics.grantsOf(place, [...new Set<UserId | "">([userId, ""])]);
    },
  });
  return {
    of: async (organizationId, userId) => await memory.get(`${organizationId}/${userId}`),
    changed: memory.clear,
  };
};

export type MetricsCall = {
  readonly api: MetricsApi;
  readonly caller: UserCaller;
  readonly place: Place;
  /** As the audit log keeps the caller. */
  readonly by: Actor;
};

export const openMetricsCall = (api: MetricsApi, context: HandlerContext): MetricsCall => {
  const caller = userOf(context);
  const { userId, tokenId } = caller;
  const by = { userId, tokenId, address: context.values.get(addressKey) };
  return { api, caller, place: placeOf(api.tenants, caller.organizationId), by };
};

/** What the caller may read: all with `job-read`, else what was granted to him or to everybody. */
export const reachOf = async ({ api, caller, place }: MetricsCall): Promise<Reach> =>
  caller.permissions.has("job-read")
    ? "all"
    : await api.grants.of(place.organizationId, caller.userId);

/** @throws JobFault PERMISSION_DENIED, which names the first number that is out of reach */
export const requireReach = (
  reach: Reach,
  metrics: readonly Metric[],
  types: readonly string[],
): void => {
  const hidden = beyond(reach, metrics, types);
  if (hidden === null) return;
  throw new JobFault(
    "PERMISSION_DENIED",
    `This needs job-read, or a grant: ${hidden} was not granted to you.`,
    { metadata: { needs: "job-read" } },
  );
};

import type { DeliveryRow } from "../jobs/delivery.ts";
import type { HookRow } from "../jobs/hook.ts";
import type { HookId } from "../jobs/ids.ts";
import type { PageOf } from "./identity-store.ts";
import type { Place } from "./store.ts";

/** Reads of hooks; the owner of their shard writes them. */
export interface HookStore {
  find(place: Place, id: HookId): Promise<HookRow | null>;
  /** By id: oldest first. */
  list(place: Place, page: PageOf<string>): Promise<HookRow[]>;
  /**
   * What is still to be delivered for the hook, by id; `after` is the last of the page before. It
   * looks at the hook's own deliveries only.
   */
  pending(
    place: Place,
    id: HookId,
    page: PageOf<string>,
  ): Promise<Pick<DeliveryRow, "id" | "jobId">[]>;
}

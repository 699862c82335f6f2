import type { OrganizationId } from "./ids.ts";
import type { Millis } from "./job.ts";

/** How a type has fared lately (row B9). There is a row only for a type that crashed since its last success. */
export type BreakerRow = {
  readonly organizationId: OrganizationId;
  readonly type: string;
  /** Crashes in a row. */
  readonly failures: number;
  /** How often it has opened since the last success: each time it stays open for longer. */
  readonly trips: number;
  /** Null while it is closed. */
  readonly openedAt: Millis | null;
  /** When one attempt is let through again to see. Null while it is closed. */
  readonly retryAt: Millis | null;
  /** One sentence for people; empty while it is closed. */
  readonly reason: string;
};

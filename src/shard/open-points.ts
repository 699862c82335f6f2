import type { OrganizationId } from "../jobs/ids.ts";
import type { Millis } from "../jobs/job.ts";
import { intervalOf, MOST_TYPES, OTHER_TYPES, Point, type PointRow } from "../jobs/metric.ts";

/** What one type of an organization did within the open minute. */
export type OpenPoint = { readonly organizationId: OrganizationId; readonly type: string } & {
  readonly point: Point;
};

/**
 * The points of the minute that is open, as this owner has counted them since it loaded the shard.
 * Rows are told apart by the revision that was loaded: whoever loads it next counts from zero into
 * rows of its own, so nothing has to be read, and a commit whose outcome is unknown is counted as
 * often as it took place. Since each revision is committed once, no two writers share one.
 */
export class OpenPoints {
  readonly #writer: number;
  #minute = 0;
  /** No minute from before is written any more. */
  #closedUntil: Millis;
  readonly #organizations = new Map<OrganizationId, Map<string, OpenPoint>>();

  constructor(writer: number, closedUntil: Millis) {
    this.#writer = writer;
    this.#closedUntil = closedUntil;
  }

  get closedUntil(): Millis {
    return this.#closedUntil;
  }

  /** The points of minutes before this are final. */
  close(until: Millis): void {
    this.#closedUntil = Math.max(this.#closedUntil, until);
  }

  /** Begins another minute when its time has come; a clock that goes back stays in the one that is open. */
  open(now: Millis): void {
    const minute = Math.max(intervalOf("MINUTE", now), this.#closedUntil);
    if (minute <= this.#minute) return;
    this.#minute = minute;
    this.#organizations.clear();
  }

  has(organizationId: OrganizationId, type: string): boolean {
    return this.#organizations.get(organizationId)?.has(type) ?? false;
  }

  of(organizationId: OrganizationId, type: string): OpenPoint {
    let types = this.#organizations.get(organizationId);
    if (types === undefined) {
      types = new Map();
      this.#organizations.set(organizationId, types);
    }
    const known = types.get(type);
    if (known !== undefined) return known;
    if (types.size >= MOST_TYPES && type !== OTHER_TYPES)
      return this.of(organizationId, OTHER_TYPES);
    const open = { organizationId, type, point: new Point() };
    types.set(type, open);
    return open;
  }

  row({ organizationId, type, point }: OpenPoint): PointRow {
    const key = { organizationId, resolution: "MINUTE" as const, at: this.#minute, type };
    return point.row({ ...key, writer: this.#writer });
  }
}

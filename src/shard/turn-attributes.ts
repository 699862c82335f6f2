import type { AttributeRow } from "../jobs/attribute.ts";
import type { AttributeWanted, ColdRows, ShardChanges, UserKey } from "../store/store.ts";

const attributeKey = ({ organizationId, userId, name, value }: AttributeWanted): string =>
  JSON.stringify([organizationId, userId, name, value]);

const userKey = ({ organizationId, userId }: UserKey): string => `${organizationId}/${userId}`;

/**
 * The attributes of users as they stand within one turn: what the turn's commands read, and what
 * they have changed since. A command sees only what it wanted (commands/command.ts).
 */
export class TurnAttributes {
  readonly #rows = new Map<string, AttributeRow>();
  readonly #counts = new Map<string, number>();
  readonly #new = new Map<string, AttributeRow>();
  readonly #gone = new Map<string, AttributeRow>();

  constructor(cold: Pick<ColdRows, "attributes" | "attributeCounts">) {
    for (const row of cold.attributes) this.#rows.set(attributeKey(row), row);
    for (const count of cold.attributeCounts) this.#counts.set(userKey(count), count.count);
  }

  get changedNothing(): boolean {
    return this.#new.size === 0 && this.#gone.size === 0;
  }

  find(wanted: AttributeWanted): AttributeRow | null {
    return this.#rows.get(attributeKey(wanted)) ?? null;
  }

  /** How many the user has. */
  count(user: UserKey): number {
    return this.#counts.get(userKey(user)) ?? 0;
  }

  /** Gives a user an attribute that he does not have. */
  put(row: AttributeRow): void {
    const key = attributeKey(row);
    this.#rows.set(key, row);
    this.#counts.set(userKey(row), this.count(row) + 1);
    this.#new.set(key, row);
  }

  /** Takes away an attribute that the user has. */
  remove(row: AttributeRow): void {
    const key = attributeKey(row);
    this.#rows.delete(key);
    this.#counts.set(userKey(row), this.count(row) - 1);
    if (!this.#new.delete(key)) this.#gone.set(key, row);
  }

  /** What is in both goes before it comes anew. */
  changes(): Pick<ShardChanges, "attributes" | "removedAttributes"> {
    return { attributes: [...this.#new.values()], removedAttributes: [...this.#gone.values()] };
  }
}

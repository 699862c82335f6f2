import type { DeliveryRow, DeliveryTryRow, SigningSecretRow } from "../jobs/delivery.ts";
import type { HookRow } from "../jobs/hook.ts";
import type { ColdRows, DeliveryKey, HookKey, ShardChanges } from "../store/store.ts";

const keyOf = ({ organizationId, id }: DeliveryKey | HookKey): string => `${organizationId}/${id}`;

/** The outbox, hooks and signing secrets as one turn changes them. */
export class TurnNotices {
  readonly #cold = new Map<string, DeliveryRow>();
  readonly #deliveries = new Map<string, DeliveryRow>();
  #tries: DeliveryTryRow[] = [];
  readonly #hooks = new Map<string, HookRow>();
  readonly #removedHooks = new Map<string, HookKey>();
  readonly #secrets = new Map<string, SigningSecretRow>();
  readonly #removedSecrets = new Map<string, SigningSecretRow>();
  readonly #purged: DeliveryKey[] = [];
  /** Notices that were left out because their hook would have been told of what it caused. */
  loopsStopped = 0;
  /** As they were read for this turn, and what it did to them. */
  #knownSecrets: readonly SigningSecretRow[];

  constructor({ deliveries, signingSecrets }: Pick<ColdRows, "deliveries" | "signingSecrets">) {
    for (const row of deliveries) this.#cold.set(keyOf(row), row);
    this.#knownSecrets = signingSecrets;
  }

  get changedNothing(): boolean {
    return (
      this.#deliveries.size === 0 &&
      this.#tries.length === 0 &&
      this.#hooks.size === 0 &&
      this.#removedHooks.size === 0 &&
      this.#secrets.size === 0 &&
      this.#removedSecrets.size === 0 &&
      this.#purged.length === 0
    );
  }

  /** The delivery as it stands now; null if there is none. A command that asks has to want it. */
  delivery(key: DeliveryKey): DeliveryRow | null {
    return this.#deliveries.get(keyOf(key)) ?? this.#cold.get(keyOf(key)) ?? null;
  }

  /** A new delivery, or one that has changed. */
  put(row: DeliveryRow): DeliveryRow {
    this.#deliveries.set(keyOf(row), row);
    return row;
  }

  addTry(row: DeliveryTryRow): void {
    this.#tries.push(row);
  }

  putHook(row: HookRow): void {
    this.#hooks.set(keyOf(row), row);
    this.#removedHooks.delete(keyOf(row));
  }

  removeHook({ organizationId, id }: HookRow): void {
    const key = { organizationId, id };
    this.#hooks.delete(keyOf(key));
    this.#removedHooks.set(keyOf(key), key);
  }

  /** Oldest first. A command that asks has to want them. */
  secrets({ organizationId, id }: HookKey): readonly SigningSecretRow[] {
    return this.#knownSecrets
      .filter((row) => row.organizationId === organizationId && row.hookId === id)
      .toSorted((a, b) => (a.id < b.id ? -1 : 1));
  }

  putSecret(row: SigningSecretRow): void {
    this.#knownSecrets = [...this.#knownSecrets.filter(({ id }) => id !== row.id), row];
    this.#secrets.set(row.id, row);
  }

  removeSecret(row: SigningSecretRow): void {
    this.#knownSecrets = this.#knownSecrets.filter(({ id }) => id !== row.id);
    this.#secrets.delete(row.id);
    this.#removedSecrets.set(row.id, row);
  }

  purge(key: DeliveryKey): void {
    this.#cold.delete(keyOf(key));
    this.#deliveries.delete(keyOf(key));
    this.#tries = this.#tries.filter(({ deliveryId }) => deliveryId !== key.id);
    this.#purged.push(key);
  }

  changes(): Pick<
    ShardChanges,
    | "deliveries"
    | "tries"
    | "hooks"
    | "removedHooks"
    | "signingSecrets"
    | "removedSigningSecrets"
    | "purgedDeliveries"
  > {
    return {
      deliveries: [...this.#deliveries.values()],
      tries: this.#tries,
      hooks: [...this.#hooks.values()],
      removedHooks: [...this.#removedHooks.values()],
      signingSecrets: [...this.#secrets.values()],
      removedSigningSecrets: [...this.#removedSecrets.values()],
      purgedDeliveries: this.#purged,
    };
  }
}

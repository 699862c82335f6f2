import type { DeliveryRow } from "../../src/jobs/delivery.ts";
import type { JobId } from "../../src/jobs/ids.ts";
import type { Answer, Message } from "../../src/outgoing/post.ts";
import { redeliver } from "../../src/shard/commands/delivery.ts";
import { SERVER } from "../../src/jobs/audit.ts";
import type { Ledger } from "./ledger.ts";
import type { SimulatedServer } from "./servers.ts";
import type { World } from "./world.ts";

/** Where the notice of that job goes: receivers are few, and shared. */
export const callbackUrlFor = (world: World, id: JobId): string =>
  `https://receiver-${world.dice.between(1, 12)}.example/${id}`;

const NO_ANSWER: Answer = { status: 0, retryAfter: "", error: "no answer" };
const LATEST_MS = 15_000;

/** Receivers that fail, answer late, or answer what nobody hears; after the storm they take everything. */
export class SimulatedReceivers {
  readonly #world: World;
  readonly #ledger: Ledger;
  readonly #isStormy: () => boolean;

  constructor(options: {
    readonly world: World;
    readonly ledger: Ledger;
    readonly isStormy: () => boolean;
  }) {
    this.#world = options.world;
    this.#ledger = options.ledger;
    this.#isStormy = options.isStormy;
  }

  /** A message of a server; one that dies meanwhile hears no answer. */
  async post({ headers, body }: Message, isAlive: () => boolean): Promise<Answer> {
    const { dice } = this.#world;
    const isStormy = this.#isStormy();
    const fate = isStormy ? dice.fraction() : 1;
    await this.#world.pause(isStormy && dice.chance(0.1) ? dice.between(0, LATEST_MS) : 5);
    if (!isAlive() && dice.chance(0.5)) return await never();
    const answer = this.#take(headers["webhook-id"] ?? "", body, fate);
    await this.#world.pause(dice.between(0, 20));
    if (!isAlive()) return await never();
    // It was taken, and its sender does not know.
    return fate > 0.5 && fate < 0.6 ? NO_ANSWER : answer;
  }

  #take(id: string, body: string, fate: number): Answer {
    if (fate < 0.1) return NO_ANSWER;
    try {
      this.#ledger.deliveries.arrived(id, body, this.#ledger.attempts);
    } catch (error) {
      this.#ledger.fault ??= error as Error;
    }
    const status = statusOf(fate);
    this.#ledger.deliveries.answered(id, status);
    return { status, retryAfter: fate < 0.2 ? "3" : "", error: "" };
  }

  /**
   * Somebody who orders again what was not delivered when the storm is over. In some histories he
   * leaves a part to its schedule, which takes minutes.
   */
  async orderAgain(servers: readonly SimulatedServer[]): Promise<void> {
    const leaves = this.#world.dice.chance(0.15) ? 0.25 : 0;
    for (const row of this.#ledger.deliveries.pending()) {
      // What becomes a job would become another, if the first is made meanwhile.
      if (row.jobType !== "" || this.#world.dice.chance(leaves)) continue;
      await this.#order(servers, row);
    }
  }

  async #order(servers: readonly SimulatedServer[], row: DeliveryRow): Promise<void> {
    const { dice } = this.#world;
    for (;;) {
      try {
        await dice
          .pick(servers)
          .call(
            async ({ router }) =>
              await router.ownerOf(row.organizationId).perform(redeliver(row, SERVER)),
          );
        return;
      } catch {
        await this.#world.pause(dice.between(50, 500));
      }
    }
  }
}

const statusOf = (fate: number): number => {
  if (fate < 0.3) return 500;
  if (fate < 0.35) return 302;
  return fate < 0.38 ? 410 : 200;
};

const never = async <T>(): Promise<T> => await new Promise<T>(() => {});

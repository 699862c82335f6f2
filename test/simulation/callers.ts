import { createToken } from "../../src/identity/create-token.ts";
import type { Identity } from "../../src/identity/identity.ts";
import { JobFault } from "../../src/jobs/errors.ts";
import type { OrganizationId, UserId } from "../../src/jobs/ids.ts";
import type { Store } from "../../src/store/store.ts";
import { Broken, faultOf } from "./broken.ts";
import type { Ledger } from "./ledger.ts";
import type { Promised } from "./promises.ts";
import type { SimulatedServer } from "./servers.ts";
import type { World } from "./world.ts";

/** Row C3: so long may a revoked token still work on a server that did not revoke it. */
const GRACE_MS = 5_000;

type Open = { readonly server: SimulatedServer; ended: boolean };

/**
 * Somebody who calls all servers with one token, and holds a call open on each, until the token is
 * revoked on one of them; then he tries for a while longer.
 */
export class SimulatedCaller {
  readonly #world: World;
  readonly #ledger: Ledger;
  readonly #store: Store;
  readonly #servers: readonly SimulatedServer[];
  readonly #open: Open[] = [];
  /** When the database had it, whoever was told. */
  #revokedAt = Number.POSITIVE_INFINITY;
  #tokenId = "";
  #header = "";

  constructor(options: {
    readonly world: World;
    readonly ledger: Ledger;
    readonly store: Store;
    readonly servers: readonly SimulatedServer[];
  }) {
    this.#world = options.world;
    this.#ledger = options.ledger;
    this.#store = options.store;
    this.#servers = options.servers;
  }

  async work(organizationId: OrganizationId): Promise<void> {
    const world = this.#world;
    const maker = {
      identity: this.#store.identity,
      clock: world.clock(0, () => true),
      random: world.random(),
    };
    const { row, text } = await world.real(
      async () =>
        await createToken(maker, {
          kind: "user",
          organizationId,
          userId: "" as UserId,
          name: "simulated",
          permissions: ["jobs:view"],
          expiresAt: null,
        }),
    );
    [this.#tokenId, this.#header] = [row.id, `Bearer ${text}`];
    for (const server of this.#servers) {
      void this.#keepCalling(server);
      void this.#keepOpen(server);
    }
    await world.pause(world.dice.between(2_000, 25_000));
    await this.#revoke();
  }

  /** As TokenService does it: the database first, then this server's memory. Until it is acknowledged. */
  async #revoke(): Promise<void> {
    for (;;) {
      try {
        await this.#world.dice.pick(this.#servers).identify(async (identity, store) => {
          await store.identity.revokeToken(this.#tokenId, this.#world.now);
          identity.tokenRevoked(this.#tokenId);
          await this.#expectRefusal(identity, "a revocation counts at once where it was made");
        });
        return;
      } catch {
        await this.#world.pause(this.#world.dice.between(50, 500));
      }
    }
  }

  async #expectRefusal(identity: Identity, promise: Promised): Promise<void> {
    try {
      await identity.authenticator.authenticate(this.#header);
    } catch (caught) {
      if (caught instanceof JobFault) return;
      throw caught;
    }
    this.#fail(promise, { token: this.#tokenId });
  }

  async #keepCalling(server: SimulatedServer): Promise<void> {
    for (;;) {
      await this.#world.pause(this.#world.dice.between(50, 900));
      try {
        await server.identify(async (identity) => {
          await identity.authenticator.authenticate(this.#header);
          this.#letIn(server);
        });
      } catch {
        // Refused, or no connection: both may happen at any time.
      }
    }
  }

  #letIn(server: SimulatedServer): void {
    const late = this.#world.now - this.#seenRevokedAt() - GRACE_MS;
    if (late > 0) this.#fail("a revoked token works nowhere after 5 s", { on: server.name, late });
  }

  async #keepOpen(server: SimulatedServer): Promise<void> {
    try {
      await server.identify(async (identity) => {
        const caller = await identity.authenticator.authenticate(this.#header);
        const open: Open = { server, ended: false };
        await identity.calls.hold({ authorization: this.#header, caller }, () => {
          open.ended = true;
        });
        if (server.isAlive) this.#open.push(open);
        server.whenDead(() => {
          open.ended = true;
        });
      });
    } catch {
      if (this.#seenRevokedAt() < this.#world.now) return;
      await this.#world.pause(100);
      await this.#keepOpen(server);
    }
  }

  #seenRevokedAt(): number {
    this.#revokedAt = Math.min(
      this.#revokedAt,
      this.#ledger.revokedAt.get(this.#tokenId) ?? Number.POSITIVE_INFINITY,
    );
    return this.#revokedAt;
  }

  #fail(promise: Promised, facts: object): void {
    this.#ledger.fault ??= new Broken(promise, facts);
  }

  /** Calls that a revocation should have ended by now, and has not. */
  differences(): string[] {
    return this.#open
      .filter(({ ended }) => !ended)
      .map(({ server }) => faultOf("a revocation ends open calls", { on: server.name }));
  }
}

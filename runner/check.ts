import type { Clock } from "../src/runtime/clock.ts";
import type { Log } from "../src/runtime/log.ts";
import type { SandboxConfig } from "./config.ts";
import type { LayerName } from "./sandbox/layers.ts";
import { createUsageReader } from "./sandbox/proc.ts";
import type { Proof } from "./sandbox/prove.ts";
import { silentObserver } from "./observer.ts";
import { createSupervisor } from "./supervisor.ts";

/** What an operator wants to know of the sandbox on this machine. */
export type SandboxCheck = {
  readonly active: readonly LayerName[];
  readonly missing: readonly LayerName[];
  readonly proofs: readonly Proof[];
};

/** Canaries at once. */
const SLOTS = 2;

/**
 * Starts a sandbox as a runner would, without a server, and runs every canary in it.
 *
 * @throws SandboxUnavailable if it cannot be started
 */
export const checkSandbox = async (
  { limits, isolation }: SandboxConfig,
  clock: Clock,
  log: Log,
): Promise<SandboxCheck> => {
  const supervisor = createSupervisor({
    clock,
    log,
    limits,
    isolation,
    slots: SLOTS,
    spares: 1,
    canary: false,
    readUsage: createUsageReader(),
    observer: silentObserver,
  });
  await supervisor.start();
  try {
    const { active, missing } = supervisor.layers();
    return { active, missing, proofs: await supervisor.check() };
  } finally {
    await supervisor.stop();
  }
};

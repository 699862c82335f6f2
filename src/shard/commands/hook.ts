/** Changes of a hook by hand. */
import type { Actor } from "../../jobs/audit.ts";
import type { DeliveryRow, SigningSecretRow } from "../../jobs/delivery.ts";
import { hookNotFound, JobFault } from "../../jobs/errors.ts";
import { TEST_EVENT, testNotice } from "../../jobs/hook-notice.ts";
import { crowdAround } from "../../jobs/hook-crowd.ts";
import type { HookRow } from "../../jobs/hook.ts";
import { LIMITS } from "../../jobs/limits.ts";
import type { HookKey } from "../../store/store.ts";
import { OF_NO_JOB, oweHook } from "../notices/hook-delivery.ts";
import {
  auditHook,
  findHook,
  pauseNow,
  putHook,
  removeHook,
  wantHooks,
} from "../notices/hook-rows.ts";

import type { Turn } from "../turn.ts";
import type { Command } from "./command.ts";

/** What a change by hand may give a hook. */
export type HookFacts = Pick<HookRow, "name" | "event" | "target">;

const ROW_BYTES = 500;

const command = <Outcome>(
  { organizationId }: Pick<HookRow, "organizationId">,
  bytes: number,
  apply: (turn: Turn) => Outcome,
): Command<Outcome> => ({
  weight: 1,
  bytes,
  want: (state, wanted) => wantHooks(state, wanted, organizationId),
  apply,
});

/** Refuses with HOOK_NOT_FOUND. */
const change = <Outcome>(
  key: HookKey,
  bytes: number,
  apply: (turn: Turn, row: HookRow) => Outcome,
): Command<Outcome | JobFault> =>
  command(key, bytes, (turn) => {
    const row = findHook(turn, key);
    return row === null ? hookNotFound(key.id) : apply(turn, row);
  });

const bytesOf = ({ name, event, target }: HookFacts): number =>
  ROW_BYTES + JSON.stringify([name, event, target]).length;

/** Why it would be one too many for some change of a job; null if it is not. */
const whyCrowded = (
  turn: Turn,
  { organizationId, id }: HookKey,
  { event }: HookFacts,
): JobFault | null => {
  const others = turn.state.organization(organizationId)?.hooks.eventsBeside(id) ?? [];
  const crowd = crowdAround(event, others);
  if (crowd === null || crowd.hooks <= LIMITS.hooksOfChange) return null;
  const jobs = crowd.type === "" ? "jobs" : `jobs of type ${crowd.type}`;
  return new JobFault(
    "TOO_MANY_HOOKS",
    `${LIMITS.hooksOfChange} hooks are told of ${jobs} that are ${crowd.state}, which is the most. Delete some, or name types.`,
    { metadata: { max_hooks: String(LIMITS.hooksOfChange), state: crowd.state } },
  );
};

/**
 * The owner fills in the times. With its first secret, if it signs. Refuses with TOO_MANY_HOOKS.
 */
export const createHook = (
  row: HookRow,
  secret: SigningSecretRow | null,
  by: Actor,
): Command<HookRow | JobFault> =>
  command(row, bytesOf(row), (turn) => {
    const organization = turn.state.organization(row.organizationId);
    if ((organization?.hooks.size ?? 0) >= LIMITS.hooks) {
      return new JobFault(
        "TOO_MANY_HOOKS",
        `The organization has ${LIMITS.hooks} hooks, which is the most. Delete some.`,
        { metadata: { max_hooks: String(LIMITS.hooks) } },
      );
    }
    const crowded = whyCrowded(turn, row, row);
    if (crowded !== null) return crowded;
    auditHook(turn, row, by, "hook.create");
    if (secret !== null) turn.notices.putSecret({ ...secret, createdAt: turn.now });
    return putHook(turn, { ...row, createdAt: turn.now, changedAt: turn.now });
  });

/** What another threshold has seen says nothing of this one. */
const forgetful = (row: HookRow, { event }: HookFacts): Partial<HookRow> =>
  JSON.stringify(row.event) === JSON.stringify(event) ? {} : { aboveSince: null, firing: false };

/** `version` 0: whatever it is. Refuses with HOOK_NOT_FOUND, HOOK_CHANGED, TOO_MANY_HOOKS. */
export const updateHook = (
  key: HookKey,
  version: number,
  facts: HookFacts,
  by: Actor,
): Command<HookRow | JobFault> =>
  change(key, bytesOf(facts), (turn, row) => {
    if (version !== 0 && version !== row.version) {
      return new JobFault(
        "HOOK_CHANGED",
        `The hook has been changed: it has version ${row.version} by now. Read it again.`,
        { metadata: { hook_id: row.id, version: String(row.version) } },
      );
    }
    const crowded = whyCrowded(turn, row, facts);
    if (crowded !== null) return crowded;
    auditHook(turn, row, by, "hook.update");
    return putHook(turn, {
      ...row,
      ...facts,
      ...forgetful(row, facts),
      version: row.version + 1,
      changedAt: turn.now,
    });
  });

/** Pausing twice changes nothing. Refuses with HOOK_NOT_FOUND. */
export const pauseHook = (key: HookKey, reason: string, by: Actor): Command<HookRow | JobFault> =>
  change(key, 0, (turn, row) => (row.pausedAt === null ? pauseNow(turn, row, reason, by) : row));

/**
 * Goes on with what happens from now on; its failures are forgotten. One that is not paused stays as
 * it is. Refuses with HOOK_NOT_FOUND.
 */
export const resumeHook = (key: HookKey, by: Actor): Command<HookRow | JobFault> =>
  change(key, 0, (turn, row) => {
    if (row.pausedAt === null) return row;
    auditHook(turn, row, by, "hook.resume");
    const resumed = { pausedAt: null, pauseReason: "", failures: 0, aboveSince: null };
    return putHook(turn, { ...row, ...resumed, changedAt: turn.now });
  });

/** With its secrets. What waits to be delivered is ended by `dropDeliveries`. Refuses with HOOK_NOT_FOUND. */
export const deleteHook = (key: HookKey, by: Actor): Command<JobFault | null> => ({
  ...change(key, 0, (turn, row) => {
    auditHook(turn, row, by, "hook.delete");
    for (const secret of turn.notices.secrets(key)) turn.notices.removeSecret(secret);
    removeHook(turn, row);
    return null;
  }),
  want: (state, wanted) => {
    wantHooks(state, wanted, key.organizationId);
    wanted.signingSecrets.push(key);
  },
});

/** A notice of nothing, to see whether it arrives; also while it is paused. Refuses with HOOK_NOT_FOUND. */
export const testHook = (key: HookKey, by: Actor): Command<DeliveryRow | JobFault> =>
  change(key, ROW_BYTES, (turn, row) => {
    auditHook(turn, row, by, "hook.test");
    return oweHook(turn, row, {
      event: TEST_EVENT,
      ...OF_NO_JOB,
      body: testNotice(row, turn.now),
    });
  });

/** The secrets with which notices are signed: of an organization's callbacks, and of each hook. */
import type { Actor } from "../../jobs/audit.ts";
import type { SigningSecretRow } from "../../jobs/delivery.ts";
import type { Millis } from "../../jobs/job.ts";
import type { HookKey } from "../../store/store.ts";
import { findHook } from "../notices/hook-rows.ts";
import type { Turn } from "../turn.ts";
import type { Command } from "./command.ts";

/** So many sign beside one another; the oldest one goes when there would be more. */
export const MOST_SIGNING_SECRETS = 5;

/** Whether it signs at that moment. */
export const signs = ({ expiresAt }: SigningSecretRow, now: Millis): boolean =>
  expiresAt === null || expiresAt > now;

const put = (turn: Turn, { organizationId, id: hookId }: HookKey, secret: string) => {
  const id = turn.newId();
  const row = { organizationId, hookId, id, secret, createdAt: turn.now, expiresAt: null };
  turn.notices.putSecret(row);
  return row;
};

const withSecrets = <Outcome>(key: HookKey, apply: (turn: Turn) => Outcome): Command<Outcome> => ({
  weight: 1,
  bytes: 0,
  want: (state, wanted) => {
    wanted.signingSecrets.push(key);
    if (key.id !== "" && state.organization(key.organizationId) === undefined) {
      wanted.organizations.push(key.organizationId);
    }
  },
  apply,
});

/**
 * The secrets that sign now, oldest first. If there is none yet, `fresh` becomes the first; of a hook
 * that is gone there are none.
 */
export const keepSigningSecrets = (
  key: HookKey,
  fresh: string,
): Command<readonly SigningSecretRow[]> =>
  withSecrets(key, (turn) => {
    if (key.id !== "" && findHook(turn, key) === null) return [];
    const known = turn.notices.secrets(key).filter((row) => signs(row, turn.now));
    return known.length > 0 ? known : [put(turn, key, fresh)];
  });

/** `fresh` signs from now on; the others go on to sign for `overlapMs`. Answers with the new one. */
export const rotateSigningSecret = (
  key: HookKey,
  fresh: string,
  overlapMs: number,
  by: Actor,
): Command<SigningSecretRow> =>
  withSecrets(key, (turn) => {
    const { organizationId, id } = key;
    const until = turn.now + overlapMs;
    const known = turn.notices.secrets(key);
    known.forEach((row, index) => {
      const kept = { ...row, expiresAt: Math.min(row.expiresAt ?? until, until) };
      const isOneTooMany = index <= known.length - MOST_SIGNING_SECRETS;
      if (isOneTooMany || !signs(kept, turn.now)) turn.notices.removeSecret(row);
      else turn.notices.putSecret(kept);
    });
    turn.audit(organizationId, {
      actor: by,
      action: "signing-secret.rotate",
      subject: id === "" ? organizationId : id,
      details: JSON.stringify({ overlap_ms: overlapMs }),
    });
    return put(turn, key, fresh);
  });

/** One child as the pool counts it. `organizationId` is null until it has served somebody. */
export type Member = {
  readonly state: "starting" | "idle" | "busy";
  readonly organizationId: string | null;
  /** Grows with each use; the smallest was idle longest. */
  readonly usedAt: number;
};

export type Choice<M> =
  | { readonly kind: "use"; readonly member: M }
  /** Its memory of another organization must not be reused: it makes room for a new child. */
  | { readonly kind: "replace"; readonly member: M }
  | { readonly kind: "spawn" }
  | { readonly kind: "wait" };

/** How many attempts there may be at once, and how many children. */
export type Room = { readonly slots: number; readonly most: number };

/**
 * A child for `organizationId`: one that it used before, else a fresh one, else room for one.
 * Never one that served somebody else. Who has as many children as there are slots waits for one of
 * them: no more attempts than slots run at once, so one is only tidying up, which takes a few
 * milliseconds; a new child takes fifty.
 */
export const choose = <M extends Member>(
  members: Iterable<M>,
  organizationId: string,
  { slots, most }: Room,
): Choice<M> => {
  let fresh: M | undefined;
  let oldest: M | undefined;
  let count = 0;
  let own = 0;
  for (const member of members) {
    count += 1;
    if (member.organizationId === organizationId) own += 1;
    if (member.state !== "idle") continue;
    if (member.organizationId === organizationId) return { kind: "use", member };
    if (member.organizationId === null) fresh ??= member;
    else if (oldest === undefined || member.usedAt < oldest.usedAt) oldest = member;
  }
  if (own >= slots) return { kind: "wait" };
  if (fresh !== undefined) return { kind: "use", member: fresh };
  if (count < most) return { kind: "spawn" };
  if (oldest !== undefined) return { kind: "replace", member: oldest };
  return { kind: "wait" };
};

/** Of the idle children that served somebody: the one to give up when there are more than `most`. */
export const surplus = <M extends Member>(members: Iterable<M>, most: number): M | null => {
  let served = 0;
  let oldest: M | null = null;
  for (const member of members) {
    if (member.organizationId === null) continue;
    served += 1;
    if (member.state === "idle" && (oldest === null || member.usedAt < oldest.usedAt)) {
      oldest = member;
    }
  }
  return served > most ? oldest : null;
};

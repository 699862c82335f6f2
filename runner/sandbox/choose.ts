/**
 * Who shares a child with whom. `tenant`: attempts of one organization. `process`: nobody, a child
 * serves one attempt. `shared`: everybody, which is weaker.
 */
export const ISOLATIONS = ["tenant", "process", "shared"] as const;
export type Isolation = (typeof ISOLATIONS)[number];

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
export type Room = { readonly isolation: Isolation; readonly slots: number; readonly most: number };

/** Whether `member`, which has served somebody, may serve `organizationId`. */
const mayServe = (isolation: Isolation, member: Member, organizationId: string): boolean => {
  switch (isolation) {
    case "tenant":
      return member.organizationId === organizationId;
    case "process":
      return false;
    case "shared":
      return true;
  }
};

/**
 * A child for `organizationId`: one that served before and may serve it, the last used first, else a
 * fresh one, else room for one. Where children are reused, whoever could be served by as many as
 * there are slots waits for one of them: no more attempts than slots run at once, so one is only
 * tidying up, which takes a few milliseconds; a new child takes fifty. So does, while it is `patient`,
 * whoever could be served by some child while another's would have to go for a new one.
 */
export const choose = <M extends Member>(
  members: Iterable<M>,
  organizationId: string,
  { isolation, slots, most }: Room,
  patient: boolean,
): Choice<M> => {
  let warm: M | undefined;
  let fresh: M | undefined;
  let oldest: M | undefined;
  let count = 0;
  let served = 0;
  let serving = 0;
  for (const member of members) {
    count += 1;
    if (member.organizationId === null) {
      if (member.state === "idle") fresh ??= member;
      continue;
    }
    served += 1;
    const may = mayServe(isolation, member, organizationId);
    if (may) serving += 1;
    if (member.state !== "idle") continue;
    if (may) warm = warm === undefined || member.usedAt > warm.usedAt ? member : warm;
    else oldest = oldest === undefined || member.usedAt < oldest.usedAt ? member : oldest;
  }
  if (warm !== undefined) return { kind: "use", member: warm };
  if (serving >= slots) return { kind: "wait" };
  const mayWait = patient && serving > 0;
  if (mayWait && served >= slots) return { kind: "wait" };
  if (fresh !== undefined) return { kind: "use", member: fresh };
  if (count < most) return { kind: "spawn" };
  if (oldest !== undefined && !mayWait) return { kind: "replace", member: oldest };
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

/** The children that have served nobody. */
export const freshOf = <M extends Member>(
  members: Iterable<M>,
): { readonly count: number; readonly starting: number; readonly idle: M | null } => {
  let count = 0;
  let starting = 0;
  let idle: M | null = null;
  for (const member of members) {
    if (member.organizationId !== null) continue;
    count += 1;
    if (member.state === "starting") starting += 1;
    else if (member.state === "idle") idle = member;
  }
  return { count, starting, idle };
};

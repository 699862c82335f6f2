import type { OrganizationId } from "../jobs/ids.ts";
import type { WorkflowKey } from "../store/store.ts";
import { settleChildren, wakeParents } from "./settle-families.ts";
import { countEnds, hasTiesLeft, settleTies } from "./ties.ts";
import type { Turn } from "./turn.ts";
import type { Unsettled } from "./unsettled.ts";

/** How many jobs may still change. */
export type Room = { settled: number };

const NO_ROOM: Room = { settled: 0 };

/** Then another organization goes on. */
const SLICE = 100;

/**
 * What the end of a job does to others: steps of its workflow that waited for it, and its children.
 * Goes on until nothing more follows, or the turn has no room for more; what it ends is seen by itself.
 * What is left is written down, and follows in the next turns. True if a job had ended.
 *
 * A command that brings ended jobs back settles first: what it finds is then settled already.
 */
export const settle = (turn: Turn): boolean => {
  const { unsettled } = turn.state;
  const { room } = turn.unfinished;
  let any = settleEnds(turn);
  while (room.settled > 0) {
    const organizationId = unsettled.next();
    if (organizationId === undefined) return any;
    goOn(turn, organizationId, room);
    any = settleEnds(turn) || any;
  }
  return any;
};

/** The same for the ties of one workflow, all of them. They are no more than its steps. */
export const settleWorkflow = (turn: Turn, { organizationId, id }: WorkflowKey): void => {
  settle(turn);
  const { unsettled } = turn.state;
  for (;;) {
    const left = [...unsettled.of(organizationId)].filter(
      (one) => one.job.row.workflowId === id && hasTiesLeft(turn, one),
    );
    if (left.length === 0) return;
    for (const one of left) {
      settleTies(turn, one, { settled: Number.POSITIVE_INFINITY });
      if (advance(turn, one, NO_ROOM)) finish(turn, one);
    }
    settleEnds(turn);
  }
};

/** Writes down what is left, and what is left no more. Once the turn has been decided. */
export const noteUnsettled = (turn: Turn): void => {
  for (const one of turn.state.unsettled.takeFresh()) {
    one.isNoted = true;
    const { organizationId, id } = one.job.row;
    turn.unfinished.leave({ organizationId, kind: "settle", id, body: "" });
  }
};

/** What costs no room is done at once. */
const settleEnds = (turn: Turn): boolean => {
  const { unsettled } = turn.state;
  let any = false;
  for (;;) {
    const ended = turn.takeEnded();
    const asked = turn.takeAsked();
    if (ended.length + asked.length === 0) return any;
    any ||= ended.length > 0;
    countEnds(turn, ended);
    wakeParents(turn, ended);
    for (const job of [...ended, ...asked]) {
      const { organizationId, id } = job.row;
      const one = unsettled.find(organizationId, id) ?? { job, tie: 0, isNoted: false };
      if (advance(turn, one, NO_ROOM)) finish(turn, one);
      else unsettled.add(one);
    }
  }
};

const goOn = (turn: Turn, organizationId: OrganizationId, room: Room): void => {
  const slice = { settled: Math.min(SLICE, room.settled) };
  room.settled -= slice.settled;
  for (const one of turn.state.unsettled.of(organizationId)) {
    if (!advance(turn, one, slice)) break;
    finish(turn, one);
  }
  room.settled += slice.settled;
};

/** False if there is more to do than there is room. */
const advance = (turn: Turn, one: Unsettled, room: Room): boolean =>
  settleTies(turn, one, room) && settleChildren(turn, one.job, room);

const finish = (turn: Turn, one: Unsettled): void => {
  turn.state.unsettled.remove(one);
  if (!one.isNoted) return;
  const { organizationId, id } = one.job.row;
  turn.unfinished.done({ organizationId, kind: "settle", id });
};

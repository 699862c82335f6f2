import type { Capability } from "../jobs/ids.ts";
import type { Placed } from "./heap.ts";
import { goesBefore, ReadyQueue } from "./ready-queue.ts";
import type { TypeLoad } from "./type-load.ts";

/**
 * QUEUED jobs of one organization that need the same capability and are of the same type. Whatever
 * closes a type closes its lanes, and a closed lane costs nothing however long it is.
 */
export class Lane implements Placed {
  readonly capability: Capability;
  /** Null for inline scripts, which have no type. */
  readonly type: TypeLoad | null;
  readonly queue = new ReadyQueue();
  position = -1;

  constructor(capability: Capability, type: TypeLoad | null) {
    this.capability = capability;
    this.type = type;
  }

  /** Whether one of its jobs could start now, as far as its type is concerned. */
  get isReady(): boolean {
    return this.queue.size > 0 && (this.type?.mayRunMore ?? true);
  }
}

/** The lane whose next job goes first. Neither may be empty. */
export const leads = (a: Lane, b: Lane): boolean => {
  const [one, other] = [a.queue.peek(), b.queue.peek()];
  return one !== undefined && other !== undefined && goesBefore(one, other);
};

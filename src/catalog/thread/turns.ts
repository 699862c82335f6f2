/**
 * Who waits for the one worker: organizations take turns, so that what one of them makes slow is
 * waited for by itself. Of one organization, first in, first out.
 */
export class Turns<Work> {
  readonly #queues = new Map<string, Work[]>();

  add(organizationId: string, work: Work): void {
    const queue = this.#queues.get(organizationId);
    if (queue === undefined) this.#queues.set(organizationId, [work]);
    else queue.push(work);
  }

  /** The next; undefined if nobody waits. */
  take(): Work | undefined {
    for (const [organizationId, queue] of this.#queues) {
      this.#queues.delete(organizationId);
      const work = queue.shift();
      // Put back behind the others.
      if (queue.length > 0) this.#queues.set(organizationId, queue);
      return work;
    }
    return undefined;
  }

  takeAll(): Work[] {
    const all = [...this.#queues.values()].flat();
    this.#queues.clear();
    return all;
  }
}

import { Heap, type Placed } from "./heap.ts";

/** Who stands in a line, or has stood there. */
export type Standing = Placed & {
  /** Its start tag: the normalised service (milliseconds by weight) that it has had in this line. */
  tag: number;
  /** When it entered: among equal tags, who came first goes first. */
  entered: number;
};

const goesBefore = (a: Standing, b: Standing): boolean =>
  a.tag === b.tag ? a.entered < b.entered : a.tag < b.tag;

/**
 * Start-time fair queueing (Goyal, Vin, Cheng, SIGCOMM 1996) for several servers at once (SFQ(D):
 * Jin, Chase, Kaur, SIGMETRICS 2004), with costs that are known only afterwards: an estimate is
 * charged at the start and corrected at the end (compare 2DFQ: Mace et al., SIGCOMM 2016).
 *
 * The least tag is served first. The line's virtual time is the highest start tag ever served from
 * it; whoever enters has at least that, so that nobody gains credit by being idle, and a newcomer
 * goes ahead of all that have had more. docs/scheduling.md has the bound and its proof;
 * test/shard/fairness.test.ts checks it.
 */
export class FairLine<T extends Standing> {
  readonly #waiting = new Heap<T>(goesBefore);
  #virtualTime = 0;
  #highestTag = 0;
  #entered = 0;
  #charged = 0;

  get size(): number {
    return this.#waiting.size;
  }

  /** Whose turn it is. */
  first(): T | undefined {
    return this.#waiting.first();
  }

  has(member: T): boolean {
    return this.#waiting.has(member);
  }

  enter(member: T): void {
    member.tag = Math.max(member.tag, this.#virtualTime);
    member.entered = this.#entered += 1;
    this.#waiting.push(member);
  }

  leave(member: T): void {
    this.#waiting.remove(member);
    this.#rest();
  }

  /**
   * A slot that this line could have had goes to a member with that start tag, of this line or of
   * another one that shares the slot. Called before it is charged.
   */
  serve(tag: number): void {
    const least = this.#waiting.first()?.tag ?? tag;
    this.#virtualTime = Math.max(this.#virtualTime, Math.min(tag, least));
  }

  /** An attempt starts, and is expected to cost so much. */
  charge(member: T, amount: number): void {
    this.#charged += 1;
    this.#add(member, amount);
  }

  /** An attempt that was charged for has ended: it has cost so much more, or less, than was charged. */
  settle(member: T, difference: number): void {
    this.#charged -= 1;
    this.#add(member, difference);
    this.#rest();
  }

  /** Costs of an attempt that was never charged for. */
  add(member: T, amount: number): void {
    this.#add(member, amount);
  }

  #add(member: T, amount: number): void {
    member.tag += amount;
    this.#highestTag = Math.max(this.#highestTag, member.tag);
    if (this.has(member)) this.#waiting.update(member);
  }

  /** Nobody waits and nothing runs: what anybody had while the others wanted nothing is forgotten. */
  #rest(): void {
    if (this.#charged > 0 || this.#waiting.size > 0) return;
    this.#virtualTime = Math.max(this.#virtualTime, this.#highestTag);
  }
}

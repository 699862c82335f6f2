/** What a heap holds knows its place there: -1 while it is in none. */
export type Placed = { position: number };

/**
 * A binary heap whose items know their places, so that one whose rank has changed, or that leaves
 * from the middle, is found at once: every operation is O(log n), and nothing stale stays behind.
 * An item stands in one heap at a time.
 */
export class Heap<T extends Placed> {
  readonly #items: T[] = [];
  readonly #goesBefore: (a: T, b: T) => boolean;

  /** `goesBefore` must be a strict total order. */
  constructor(goesBefore: (a: T, b: T) => boolean) {
    this.#goesBefore = goesBefore;
  }

  get size(): number {
    return this.#items.length;
  }

  first(): T | undefined {
    return this.#items[0];
  }

  has(item: T): boolean {
    return this.#items[item.position] === item;
  }

  push(item: T): void {
    this.#items.push(item);
    this.#rise(item, this.#items.length - 1);
  }

  /** Its rank may have changed. */
  update(item: T): void {
    this.#rise(item, item.position);
    this.#sink(item, item.position);
  }

  /** Takes it out; nothing happens if it is not here. */
  remove(item: T): void {
    if (!this.has(item)) return;
    const { position } = item;
    item.position = -1;
    const last = this.#items.pop();
    if (last === undefined || last === item) return;
    last.position = position;
    this.#items[position] = last;
    this.update(last);
  }

  #rise(item: T, from: number): void {
    let index = from;
    while (index > 0) {
      const parent = this.#items[(index - 1) >> 1];
      if (parent === undefined || !this.#goesBefore(item, parent)) break;
      this.#put(parent, index);
      index = (index - 1) >> 1;
    }
    this.#put(item, index);
  }

  #sink(item: T, from: number): void {
    let index = from;
    for (;;) {
      const left = this.#items[2 * index + 1];
      const right = this.#items[2 * index + 2];
      if (left === undefined) break;
      const child = right !== undefined && this.#goesBefore(right, left) ? right : left;
      if (!this.#goesBefore(child, item)) break;
      const next = child.position;
      this.#put(child, index);
      index = next;
    }
    this.#put(item, index);
  }

  #put(item: T, index: number): void {
    this.#items[index] = item;
    item.position = index;
  }
}

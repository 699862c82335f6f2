/**
 * A first-in-first-out list with amortised O(1) operations at both ends.
 * What was put back goes before all that waits.
 */
export class Fifo<T> {
  #returned: T[] = [];
  #items: (T | undefined)[] = [];
  #head = 0;

  get length(): number {
    return this.#returned.length + this.#items.length - this.#head;
  }

  push(item: T): void {
    this.#items.push(item);
  }

  putBack(item: T): void {
    this.#returned.push(item);
  }

  peek(): T | undefined {
    return this.#returned.at(-1) ?? this.#items[this.#head];
  }

  shift(): T | undefined {
    if (this.#returned.length > 0) return this.#returned.pop();
    if (this.#head === this.#items.length) return undefined;
    const item = this.#items[this.#head];
    this.#items[this.#head] = undefined;
    this.#head += 1;
    if (this.#head * 2 > this.#items.length) {
      this.#items = this.#items.slice(this.#head);
      this.#head = 0;
    }
    return item;
  }

  /** Keeps only what `keep` approves of, in order. */
  filter(keep: (item: T) => boolean): void {
    this.#returned = this.#returned.filter(keep);
    this.#items = this.#items
      .slice(this.#head)
      .filter((item): item is T => item !== undefined && keep(item));
    this.#head = 0;
  }
}

import type { Command } from "./commands/command.ts";
import type { Origin } from "./observer.ts";

/** A command that waits for its commit, and who waits for the command. */
export type Letter = {
  readonly command: Command<unknown>;
  readonly resolve: (outcome: unknown) => void;
  readonly reject: (fault: Error) => void;
  readonly origin: Origin;
  /** Turns with this command whose commit failed. */
  failures: number;
};

/** While the database stalls, no more than this is held for each shard. */
const MOST_BYTES = 64 * 1024 * 1024;

/** Commands that wait for the owner's next turn, in the order of their arrival. */
export class Mailbox {
  #letters: Letter[] = [];
  #bytes = 0;

  get isFull(): boolean {
    return this.#bytes >= MOST_BYTES;
  }

  get length(): number {
    return this.#letters.length;
  }

  get isEmpty(): boolean {
    return this.#letters.length === 0;
  }

  put(letter: Letter): void {
    this.#letters.push(letter);
    this.#bytes += letter.command.bytes;
  }

  /** Before all others: they have had a turn that was undone. */
  putBack(letters: readonly Letter[]): void {
    this.#letters = [...letters, ...this.#letters];
    this.#bytes += bytesOf(letters);
  }

  /** At least one if there is any; more while their weights together stay within `weight`. */
  take(weight: number): Letter[] {
    let total = 0;
    let count = 0;
    for (const { command } of this.#letters) {
      total += command.weight;
      if (count > 0 && total > weight) break;
      count += 1;
    }
    const taken = this.#letters.splice(0, count);
    this.#bytes -= bytesOf(taken);
    return taken;
  }

  takeAll(): Letter[] {
    this.#bytes = 0;
    return this.#letters.splice(0);
  }
}

const bytesOf = (letters: readonly Letter[]): number =>
  letters.reduce((sum, { command }) => sum + command.bytes, 0);

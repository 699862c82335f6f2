import type { Command } from "./commands/command.ts";

/** A command that waits for its commit, and who waits for the command. */
export type Letter = {
  readonly command: Command<unknown>;
  readonly resolve: (outcome: unknown) => void;
  readonly reject: (fault: Error) => void;
  /** Turns with this command whose commit failed. */
  failures: number;
};

/** Commands that wait for the owner's next turn, in the order of their arrival. */
export class Mailbox {
  #letters: Letter[] = [];

  get isEmpty(): boolean {
    return this.#letters.length === 0;
  }

  put(letter: Letter): void {
    this.#letters.push(letter);
  }

  /** Before all others: they have had a turn that was undone. */
  putBack(letters: readonly Letter[]): void {
    this.#letters = [...letters, ...this.#letters];
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
    return this.#letters.splice(0, count);
  }

  takeAll(): Letter[] {
    return this.#letters.splice(0);
  }
}

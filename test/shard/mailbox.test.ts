import { describe, expect, test } from "vitest";

import { Mailbox, type Letter } from "../../src/shard/mailbox.ts";

const MIB = 1024 * 1024;

const letter = (bytes: number, weight = 1): Letter => ({
  command: { weight, bytes, want: () => {}, apply: () => null },
  resolve: () => {},
  reject: () => {},
  origin: null,
  failures: 0,
});

describe("the mailbox", () => {
  test("gives at least one, and more while they fit", () => {
    const mailbox = new Mailbox();
    const letters = [letter(0, 900), letter(0, 100), letter(0, 1), letter(0, 5_000)];
    for (const one of letters) mailbox.put(one);
    expect(mailbox.take(1_000)).toEqual(letters.slice(0, 2));
    expect(mailbox.take(1_000)).toEqual(letters.slice(2, 3));
    expect(mailbox.take(1_000)).toEqual(letters.slice(3));
    expect(mailbox.isEmpty).toBe(true);
  });

  test("is full while it holds too much, and not once that is taken", () => {
    const mailbox = new Mailbox();
    for (let count = 0; count < 63; count += 1) mailbox.put(letter(MIB));
    expect(mailbox.isFull).toBe(false);
    mailbox.put(letter(MIB));
    expect(mailbox.isFull).toBe(true);
    const taken = mailbox.take(10);
    expect(mailbox.isFull).toBe(false);
    mailbox.putBack(taken);
    expect(mailbox.isFull).toBe(true);
    mailbox.takeAll();
    expect(mailbox.isFull).toBe(false);
  });
});

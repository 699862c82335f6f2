import type { Random } from "../src/runtime/random.ts";

const FIRST_MS = 100;
const LONGEST_MS = 5_000;

/** Milliseconds to wait after the n-th failure in a row (from 1): doubling, half of it at random. */
export const backoffMs = (failures: number, random: Random): number => {
  const full = Math.min(LONGEST_MS, FIRST_MS * 2 ** (failures - 1));
  return full * (0.5 + random.fraction() / 2);
};

/** What an idle child has behind it. */
export type Wear = {
  readonly attempts: number;
  readonly ageMs: number;
  /** Resident memory now, over what it was after the first attempt. */
  readonly growthBytes: number;
  /** From the end of the last attempt until the next isolate was ready. */
  readonly cleanUpMs: number;
};

export type WearLimits = { readonly [Sign in keyof Wear]: number };

/** Ten minutes bound what a leak in V8 or a script that has settled in a child can come to. */
export const LONGEST_AGE_MS = 600_000;

/** It takes two, usually; after two seconds it is killed. */
export const SLOWEST_CLEAN_UP_MS = 500;

/** By what a child is worn so much that it is replaced; null: it is as good as new. */
export const wornBy = (wear: Wear, limits: WearLimits): keyof Wear | null => {
  if (wear.attempts >= limits.attempts) return "attempts";
  if (wear.ageMs >= limits.ageMs) return "ageMs";
  if (wear.growthBytes > limits.growthBytes) return "growthBytes";
  if (wear.cleanUpMs > limits.cleanUpMs) return "cleanUpMs";
  return null;
};

/**
 * The age limit of the child with this number: between 80 and 100 %, so that those that started
 * together are not replaced together.
 */
export const ageLimitOf = (number: number, limits: WearLimits): number =>
  limits.ageMs * (1 - (number % 5) * 0.05);

import { readFileSync, statSync } from "node:fs";

/** A value without the line break at its end, and whether others than its owner can read the file. */
export type SecretFile = { readonly value: string; readonly loose: boolean };

/** Null: it cannot be read. */
export const readSecretFile = (path: string): SecretFile | null => {
  try {
    const value = readFileSync(path, "utf8").replace(/\r?\n$/, "");
    return { value, loose: (statSync(path).mode & 0o077) !== 0 };
  } catch {
    return null;
  }
};

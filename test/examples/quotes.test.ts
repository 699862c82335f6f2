import { readFile } from "node:fs/promises";
import path from "node:path";

import { expect, test } from "vitest";

import { generateQuotes } from "../../examples/generate-quotes.ts";
import { LIMITS } from "../../src/jobs/limits.ts";

const FILE = path.resolve(import.meta.dirname, "../../examples/data/quotes.csv");

test("the committed quotes are what their generator makes", async () => {
  expect((await readFile(FILE, "utf8")) === generateQuotes()).toBe(true);
});

test("all of them fit into the input of one job", () => {
  const input = JSON.stringify({ year: 2026, quotes: generateQuotes() });
  expect(Buffer.byteLength(input)).toBeLessThan(LIMITS.inputBytes);
});

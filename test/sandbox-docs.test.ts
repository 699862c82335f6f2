import { readFile } from "node:fs/promises";
import { join } from "node:path";

import { describe, expect, it } from "vitest";

import { ISOLATIONS } from "../runner/sandbox/choose.ts";
import { LAYERS } from "../runner/sandbox/layers.ts";
import { DEFAULT_LIMITS } from "../runner/sandbox/limits.ts";
import { REFUSED } from "../runner/sandbox/syscalls.ts";
import { LONGEST_AGE_MS } from "../runner/sandbox/wear.ts";

const page = await readFile(join(import.meta.dirname, "../docs/sandbox.md"), "utf8");

const firstCells = (heading: string): string[] => {
  const [, section = ""] = page.split(`## ${heading}\n`);
  const [own = ""] = section.split("\n## ");
  return [...own.matchAll(/^\| `([a-z-]+)`/gm)].map(([, name = ""]) => name);
};

describe("docs/sandbox.md", () => {
  it("explains every layer once, in order", () => {
    expect(firstCells("Layers")).toEqual([...LAYERS]);
  });

  it("explains every isolation", () => {
    expect(firstCells("Isolation")).toEqual([...ISOLATIONS]);
  });

  it("gives the figures of the code", () => {
    expect(page).toContain(`after ${DEFAULT_LIMITS.recycleAfter.toLocaleString("en")} attempts`);
    expect(LONGEST_AGE_MS).toBe(10 * 60_000);
    expect(page).toContain(`every ${DEFAULT_LIMITS.sampleMs} ms`);
    const calls = Object.keys(REFUSED).length;
    expect(Math.abs(calls - 140)).toBeLessThan(10);
  });
});

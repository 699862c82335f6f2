import { describe, expect, it } from "vitest";
import { z } from "zod";

import { createSeal } from "../../src/api/sealed-token.ts";
import type { OrganizationId } from "../../src/jobs/ids.ts";

const acme = "acme" as OrganizationId;
const other = "other" as OrganizationId;
const shape = z.object({ before: z.string() });
const field = "page_token";

const sealed = createSeal("key").seal("page", acme, { before: "x" });

const open = (text: string, { key = "key", organization = acme, purpose = "page" as const } = {}) =>
  createSeal(key).open(purpose, organization, { field, text }, shape);

describe("a sealed token", () => {
  it("is opened by every server that has the key", () => {
    expect(open(sealed)).toEqual({ before: "x" });
  });

  it.each([
    ["empty", ""],
    ["made up", "abc.def"],
    ["without a signature", sealed.split(".", 1)[0] ?? ""],
    ["changed", `A${sealed.slice(1)}`],
    ["no text of ours at all", "💥"],
  ])("that is %s is INVALID_ARGUMENT at its field", (_what, text) => {
    expect(() => open(text)).toThrow(
      expect.objectContaining({
        reason: "INVALID_ARGUMENT",
        faults: [expect.objectContaining({ field })],
      }),
    );
  });

  it("is of no use with another key, to another organization, or for another purpose", () => {
    expect(() => open(sealed, { key: "another" })).toThrow(/page_token/);
    expect(() => open(sealed, { organization: other })).toThrow(/page_token/);
    const watch = createSeal("key").seal("watch-jobs", acme, { before: "x" });
    expect(() => open(watch)).toThrow(/page_token/);
  });
});

import { describe, expect, it } from "vitest";

import {
  formatJobToken,
  isGenuine,
  jobTokenId,
  parseJobToken,
  parseJobTokenId,
} from "../../src/identity/job-token.ts";
import { checksumOf, parseToken } from "../../src/identity/token.ts";
import type { JobId, OrganizationId } from "../../src/jobs/ids.ts";
import { systemRandom } from "../../src/runtime/random.ts";

const key = { epoch: 20_412, secret: systemRandom.secret(32) };
const subject = {
  organizationId: systemRandom.uuid() as OrganizationId,
  jobId: systemRandom.uuid() as JobId,
  attempt: 3,
};

/** The token with other words in it, and the checksum made to fit. */
const altered = (text: string, from: string, to: string): string => {
  const body = text.slice(0, -6).replace(from, to);
  return `${body}${checksumOf(body)}`;
};

describe("a job's own token", () => {
  it("is read back as what it was made for, and is genuine with its key alone", () => {
    const token = parseJobToken(formatJobToken(key, subject));
    expect(token).toMatchObject({ ...subject, epoch: key.epoch });
    if (token === null) return;
    expect(isGenuine(key, token)).toBe(true);
    expect(isGenuine({ ...key, secret: systemRandom.secret(32) }, token)).toBe(false);
  });

  it.each([
    ["another attempt", "_3_", "_4_"],
    ["another job", subject.jobId, systemRandom.uuid()],
    ["another organization", subject.organizationId, systemRandom.uuid()],
    ["another day", "mrj_20412_", "mrj_20413_"],
  ])("made to speak of %s is not genuine", (_what, from, to) => {
    const token = parseJobToken(altered(formatJobToken(key, subject), from, to));
    if (token === null) throw new Error("the altered token should have its proper form");
    expect(isGenuine(key, token)).toBe(false);
  });

  it("with any one character changed is told without a key", () => {
    const text = formatJobToken(key, subject);
    for (let at = 0; at < text.length; at += 1) {
      const other = text[at] === "a" ? "b" : "a";
      expect(parseJobToken(text.slice(0, at) + other + text.slice(at + 1))).toBeNull();
    }
  });

  it("is not taken for a token of another kind", () => {
    expect(parseToken(formatJobToken(key, subject))).toBeNull();
  });

  it("has an id that names job and attempt", () => {
    const id = jobTokenId(subject.jobId, 3);
    expect(parseJobTokenId(id)).toEqual({ jobId: subject.jobId, attempt: 3 });
    for (const other of [
      "",
      "job:x#1",
      `job:${subject.jobId}#0`,
      `${id} `,
      `job:${"a".repeat(36)}#1`,
    ])
      expect(parseJobTokenId(other)).toBeNull();
  });
});

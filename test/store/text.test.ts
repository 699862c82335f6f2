import { NOTHING_WANTED } from "../../src/store/store.ts";
import { describe, expect, test } from "vitest";

import { LIMITS } from "../../src/jobs/limits.ts";
import type { JobRow } from "../../src/jobs/job.ts";
import { claimed } from "../support/changes.ts";
import { ENGINES } from "../support/databases.ts";
import { aJobRow, aSpecRow } from "../support/job-row.ts";
import {
  ANY,
  anAttemptRow,
  anOutputRow,
  aRequestRow,
  aScriptRow,
  placeOf,
} from "../support/store-rows.ts";
import { withStore } from "../support/stores.ts";

const TEXTS = [
  ["plain words", "plain words"],
  ["quotes and backslashes", `it's "quoted" \\ \\' \\" \`x\` ; -- /* */ %_ ? ?? :name $1`],
  ["line ends and tabs", "a\nb\r\nc\td\u2028e"],
  ["a NUL in the middle", "before\u0000after"],
  ["other control characters", "\u0001\b\u001a\u001b\u007f"],
  ["accents, composed or not", "é e\u0301 ﬁ"],
  ["emoji and their joiners", "👩🏽‍🚀 🏳️‍🌈 𝒜"],
  ["other scripts", "日本語 العربية ไทย"],
  ["blanks at the ends", "  padded  "],
] as const;

describe.each(ENGINES)("texts on %s", (engine) => {
  const given = withStore(engine);

  test.each(TEXTS)("%s come back as they were", async (_, text) => {
    const { shards, jobs } = given.store;
    const error = { code: "x", message: text, stack: text, retryable: false };
    const job = aJobRow({
      name: text,
      cancelReason: text,
      labels: { key: text },
      error,
      callbackUrl: text,
      progress: { fraction: 0, message: text, currentStep: 0, totalSteps: 0 },
    });
    const spec = { ...aSpecRow(job), input: text, bindings: text };
    const attempt = anAttemptRow(job, { result: text, error });
    const output = anOutputRow(job, { text });
    const script = aScriptRow({ source: text, code: text });
    const request = aRequestRow(job, { requestId: text });
    const owner = await claimed(shards);
    await owner.commit({
      inserted: [job],
      specs: [spec],
      attempts: [attempt],
      output: [output],
      scripts: [script],
      requests: [request],
    });
    const place = placeOf(job);
    const cold = await shards.readCold(0, {
      ...NOTHING_WANTED,
      specs: [job],
      requests: [{ organizationId: job.organizationId, requestId: text }],
    });
    expect(await jobs.find(place, job.id)).toEqual({ ...job, revision: 1 });
    expect(cold.specs).toEqual([spec]);
    expect(cold.requests).toEqual([request]);
    expect(await jobs.attempts(place, job.id)).toEqual([attempt]);
    expect(await jobs.output(place, job.id, 0, 1)).toEqual([output]);
    expect(await jobs.script(place, script.hash)).toEqual(script);
    expect(await jobs.list(place, { ...ANY, labels: { key: text } }, null, 1)).toHaveLength(1);
  });

  test("half a surrogate pair, which is no text, becomes the replacement character", async () => {
    const { shards, jobs } = given.store;
    const job = aJobRow({ name: "a\ud83d-" });
    await (await claimed(shards)).commit({ inserted: [job] });
    expect((await jobs.find(placeOf(job), job.id))?.name).toBe("a\ufffd-");
  });

  test("every text may be as long as a caller may make it, in the widest characters", async () => {
    const { shards, jobs } = given.store;
    const wide = (length: number): string => "日".repeat(length);
    const job: JobRow = aJobRow({
      name: wide(LIMITS.nameLength),
      type: wide(LIMITS.typeLength),
      concurrencyKey: wide(LIMITS.concurrencyKeyLength),
      cancelReason: wide(LIMITS.cancelReasonLength),
      progress: {
        fraction: 1,
        message: wide(LIMITS.progressMessageLength),
        currentStep: 2 ** 31 - 1,
        totalSteps: 2 ** 31 - 1,
      },
      labels: Object.fromEntries(
        Array.from({ length: LIMITS.labels }, (_, at) => [
          `${wide(LIMITS.labelKeyLength - 2)}${at + 10}`,
          wide(LIMITS.labelValueLength),
        ]),
      ),
      callbackUrl: wide(LIMITS.urlLength),
    });
    const spec = {
      ...aSpecRow(job),
      input: "x".repeat(LIMITS.inputBytes),
    };
    const script = aScriptRow({ source: "s".repeat(LIMITS.scriptBytes) });
    const request = aRequestRow(job, { requestId: wide(LIMITS.requestIdLength) });
    const attempt = anAttemptRow(job, { result: "r".repeat(LIMITS.resultBytes) });
    await (
      await claimed(shards)
    ).commit({
      inserted: [job],
      specs: [spec],
      scripts: [script],
      requests: [request],
      attempts: [attempt],
    });
    expect(await jobs.find(placeOf(job), job.id)).toEqual({ ...job, revision: 1 });
    expect(await jobs.result(placeOf(job), job.id, 1)).toBe(attempt.result);
  });
});

import fc from "fast-check";
import { describe, expect, it } from "vitest";

import { createLines, ROW_BYTES } from "../../../runner/commands/lines.ts";
import { progressOf } from "../../../runner/commands/progress-line.ts";

const rowsOf = (...chunks: readonly (string | Uint8Array)[]): readonly string[] => {
  const rows: string[] = [];
  const lines = createLines((row) => rows.push(row));
  for (const chunk of chunks) lines.push(typeof chunk === "string" ? Buffer.from(chunk) : chunk);
  lines.end();
  return rows;
};

describe("the lines of a stream", () => {
  it("are rows, empty ones too, and the last one without a newline", () => {
    expect(rowsOf("a\n\nb\n")).toEqual(["a", "", "b"]);
    expect(rowsOf("a\r\nb")).toEqual(["a", "b"]);
    expect(rowsOf("")).toEqual([]);
  });

  it("do not depend on where the chunks end", () => {
    fc.assert(
      fc.property(
        fc.string({ unit: fc.constantFrom("a", "ü", "😀", "\n", "\r"), maxLength: 60 }),
        fc.array(fc.nat(80), { maxLength: 8 }),
        (text, cuts) => {
          const bytes = Buffer.from(text);
          const places = [0, ...cuts.map((cut) => cut % (bytes.length + 1)), bytes.length];
          const sorted = places.toSorted((a, b) => a - b);
          const chunks = sorted.slice(1).map((end, index) => bytes.subarray(sorted[index], end));
          expect(rowsOf(...chunks)).toEqual(rowsOf(bytes));
        },
      ),
    );
  });

  it("show bytes that are no UTF-8 as U+FFFD", () => {
    expect(rowsOf(Buffer.from([0x61, 0xff, 0x62, 0x0a, 0xc3]))).toEqual(["a\ufffdb", "\ufffd"]);
  });

  it("go on in the next row where they are longer than a row, between characters", () => {
    const rows = rowsOf(`${"ü".repeat(10_000)}\nend`);
    expect(rows.slice(0, -1).join("")).toBe("ü".repeat(10_000));
    expect(rows.map((row) => Buffer.byteLength(row))).toEqual([ROW_BYTES, ROW_BYTES, 3_616, 3]);
  });

  it("make no empty row of a newline right after a full row", () => {
    expect(rowsOf(`${"x".repeat(ROW_BYTES + 1)}\n`)).toEqual(["x".repeat(ROW_BYTES), "x"]);
    expect(rowsOf("x".repeat(ROW_BYTES), "\n", "y")).toEqual(["x".repeat(ROW_BYTES), "y"]);
  });

  it("keep of a progress bar what stood last", () => {
    expect(rowsOf("10%\r20%\r", "100%\n", "done\n")).toEqual(["100%", "done"]);
    expect(rowsOf("50%\r")).toEqual(["50%"]);
    expect(rowsOf("a\r\r\nb")).toEqual(["a", "b"]);
  });
});

describe("a line of progress", () => {
  it.each([
    ["::progress 0.25", { fraction: 0.25, message: "", currentStep: 0, totalSteps: 0 }],
    ["::progress 1 all done", { fraction: 1, message: "all done", currentStep: 0, totalSteps: 0 }],
    [
      "::progress 3/4 sharpening",
      { fraction: 0.75, message: "sharpening", currentStep: 3, totalSteps: 4 },
    ],
  ])("is %s", (line, progress) => {
    expect(progressOf(line)).toEqual(progress);
  });

  it.each([
    ["::progress"],
    ["::progress 2"],
    ["::progress 5/4"],
    ["::progress 0/0"],
    [" ::progress 0.5"],
    ["::progress 50%"],
  ])("is not %s", (line) => {
    expect(progressOf(line)).toBeNull();
  });
});

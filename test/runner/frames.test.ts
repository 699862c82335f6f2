import fc from "fast-check";
import { describe, expect, it } from "vitest";

import { createFrameReader, encodeFrame, FrameTooLarge } from "../../runner/sandbox/frames.ts";

describe("frames", () => {
  it("come out as they went in, however the pipe cuts them", () => {
    const messages = fc.array(fc.record({ text: fc.string({ unit: "binary" }) }), { maxLength: 8 });
    fc.assert(
      fc.property(messages, fc.array(fc.integer({ min: 1, max: 50 })), (sent, cuts) => {
        const heard: unknown[] = [];
        const read = createFrameReader(10_000, (text) => heard.push(JSON.parse(text)));
        let bytes = Buffer.concat(sent.map((message) => encodeFrame(message)));
        for (const size of cuts) {
          read(bytes.subarray(0, size));
          bytes = bytes.subarray(size);
        }
        read(bytes);
        expect(heard).toEqual(sent.map(({ text }) => ({ text: text.toWellFormed() })));
      }),
    );
  });

  it("are refused by their length, before a byte of them has come", () => {
    const read = createFrameReader(10, () => {});
    const header = Buffer.alloc(4);
    header.writeUInt32BE(11);
    expect(() => {
      read(header);
    }).toThrow(FrameTooLarge);
  });
});

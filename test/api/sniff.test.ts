import { describe, expect, it } from "vitest";

import { protocolOf } from "../../src/api/sniff.ts";

const says = (text: string) => protocolOf(Buffer.from(text));

describe("the first bytes of a connection", () => {
  it("tell HTTP/2 by its preface", () => {
    expect(says("PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n")).toBe("http2");
    expect(says("PRI")).toBe("http2");
  });

  it("tell HTTP/1.1 by any method, also one that begins like the preface", () => {
    for (const line of ["GET / HTTP/1.1", "POST /", "PUT /", "PATCH /", "PROPFIND /"]) {
      expect(says(line)).toBe("http1");
    }
  });

  it("tell nothing while they may still be either", () => {
    for (const start of ["", "P", "PR"]) expect(says(start)).toBeNull();
  });
});

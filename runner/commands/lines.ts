import { cutUtf8 } from "../utf8.ts";

/**
 * Rows out of the bytes of one stream. A character cut in two by a border of chunks is put together
 * again, bytes that are no UTF-8 become U+FFFD, and a line longer than a row goes on in the next one.
 * As on a terminal, a carriage return lets what follows replace the line: of a progress bar, what
 * stood last stays.
 */
export type Lines = {
  /** The number of rows that came out. */
  push(chunk: Uint8Array): number;
  /** What is left without a newline is a row, too. */
  end(): void;
};

export const ROW_BYTES = 8 * 1024;

export const createLines = (give: (text: string) => void): Lines => {
  const decoder = new TextDecoder("utf-8", { ignoreBOM: true });
  let line = "";
  /** A carriage return came: the next character begins the line anew. */
  let returned = false;
  /** The line has given a row already. */
  let begun = false;
  let rows = 0;

  const row = (text: string): void => {
    rows += 1;
    give(text);
  };

  const add = (segment: string): void => {
    const parts = segment.split("\r");
    for (const [index, part] of parts.entries()) {
      if (index > 0) returned = true;
      if (part === "") continue;
      line = returned ? part : line + part;
      returned = false;
      giveFullRows();
    }
  };

  const giveFullRows = (): void => {
    while (line.length * 3 > ROW_BYTES && Buffer.byteLength(line) > ROW_BYTES) {
      const full = cutUtf8(line, ROW_BYTES);
      row(full);
      begun = true;
      line = line.slice(full.length);
    }
  };

  const finish = (): void => {
    if (line !== "" || !begun) row(line);
    line = "";
    [returned, begun] = [false, false];
  };

  const take = (text: string): void => {
    let start = 0;
    for (let end = text.indexOf("\n"); end >= 0; end = text.indexOf("\n", start)) {
      add(text.slice(start, end));
      finish();
      start = end + 1;
    }
    add(text.slice(start));
  };

  return {
    push: (chunk) => {
      const before = rows;
      take(decoder.decode(chunk, { stream: true }));
      return rows - before;
    },
    end: () => {
      take(decoder.decode());
      if (line !== "") finish();
    },
  };
};

import { createHash } from "node:crypto";
import { mkdir, readFile, writeFile } from "node:fs/promises";
import path from "node:path";

import { z } from "zod";

// Where the package is installed: from "millrace/runner".
import { defineHandler, JobError } from "../../runner/index.ts";

const QUOTES = path.join(import.meta.dirname, "..", "data", "quotes.csv");

/** The quotes of a year, as they stand in a file. */
export const fetchQuotes = defineHandler({
  input: z.object({ year: z.int() }),
  execute: async ({ input }) => ({ year: input.year, csv: await readFile(QUOTES, "utf8") }),
});

/** Writes a report where others find it. */
export const exportReport = (folder: string) =>
  defineHandler({
    input: z.object({ name: z.string(), report: z.string() }),
    execute: async ({ input }) => {
      const file = path.join(folder, `${input.name}.txt`);
      await mkdir(folder, { recursive: true });
      await writeFile(file, input.report);
      const sha256 = createHash("sha256").update(input.report).digest("hex");
      return { file, bytes: Buffer.byteLength(input.report), sha256 };
    },
  });

/** Whoever wants to know of reports. */
export type Desk = { isOpen: boolean };

export const notifyDesk = (desk: Desk) =>
  defineHandler({
    input: z.object({ file: z.string(), quotes: z.int(), faults: z.array(z.unknown()) }),
    execute: ({ input }, ctx) => {
      if (!desk.isOpen) {
        throw new JobError("desk.closed", "nobody is at the desk", { retryable: false });
      }
      const told = `${path.basename(input.file)} has ${input.quotes} quotes, ${input.faults.length} rows could not be read`;
      ctx.output(told);
      return { told };
    },
  });

import path from "node:path";

import type { exportReport, fetchQuotes, notifyDesk } from "./handlers.ts";
import { handler, script, workflow } from "./typed-workflow.ts";

/** What examples/scripts/export-report.ts takes and makes. */
type Quotes = { readonly year: number; readonly quotes: string };
type Report = {
  readonly report: string;
  readonly quotes: number;
  readonly totalCents: number;
  readonly faults: { readonly line: number; readonly problem: string }[];
};

const TRANSFORM = path.resolve(import.meta.dirname, "..", "scripts", "export-report.ts");

const fetch = handler<typeof fetchQuotes>("quotes.fetch");
const transform = script<Quotes, Report>(TRANSFORM);
const write = handler<ReturnType<typeof exportReport>>("report.export");
const notify = handler<ReturnType<typeof notifyDesk>>("desk.notify");

/** The report of the demo: a trusted handler, a script in the sandbox, and two more handlers. */
export const reportOf = (year: number) =>
  workflow(`report of ${year}`)
    .step("fetch", fetch, () => ({ year }))
    .step("transform", transform, (from) => ({
      year: from("fetch", "/year"),
      quotes: from("fetch", "/csv"),
    }))
    .step("export", write, (from) => ({
      name: `quotes-${year}`,
      report: from("transform", "/report"),
    }))
    .step("notify", notify, (from) => ({
      file: from("export", "/file"),
      quotes: from("transform", "/quotes"),
      faults: from("transform", "/faults"),
    }));

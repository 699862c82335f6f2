/**
 * A runner application: two handlers in a process of their own. docs/handlers.md explains it;
 * `node examples/handlers.ts` starts a server, this, and some jobs.
 *
 *     MILLRACE_INTERNAL_URL=… MILLRACE_RUNNER_TOKEN=… node examples/handlers/application.ts
 */
import { createRunner } from "../../runner/index.ts";
import { createPostOffice } from "./post-office.ts";
import { renderInvoice } from "./render-invoice.ts";
import { sendMail } from "./send-mail.ts";

const runner = createRunner({
  url: process.env["MILLRACE_INTERNAL_URL"] ?? "http://127.0.0.1:7411",
  credential: process.env["MILLRACE_RUNNER_TOKEN"],
  slots: 4,
  handlers: {
    "invoice.render": renderInvoice,
    "mail.send": sendMail(createPostOffice()),
  },
  onAttemptEnd: ({ handler, attempt, outcome, code, runMs }) => {
    const how = code === "" ? outcome : `${outcome} (${code})`;
    console.log(`application: ${handler}, attempt ${attempt}: ${how} after ${runMs.toFixed(0)} ms`);
  },
});

// Takes no new work, finishes what runs, reports it; then nothing keeps the process any more.
for (const signal of ["SIGTERM", "SIGINT"] as const) {
  process.once(signal, () => void runner.stop());
}

await runner.start({ signal: AbortSignal.timeout(30_000) });
console.log("application: takes jobs");

import { NO_EGRESS } from "../../../runner/egress/egress.ts";
import { scriptExecutor } from "../../../runner/executors/script.ts";
import { createLibraries } from "../../../runner/libraries/libraries.ts";
import { startSandbox } from "../../support/runner-sandbox.ts";
import { runnerFor } from "../../support/runner-under-test.ts";
import { typeScripts } from "../../support/type-scripts.ts";
import { GRACE_MS, type Subject, type WorkName } from "./subject.ts";

const FOREVER = "await new Promise(() => {})";

const BODIES: Readonly<Record<WorkName, string>> = {
  answers: "return input",
  prints: "for (let i = 1; i <= 500; i++) ctx.output(`${i}`)",
  floods: "for (let i = 1; i <= 2500; i++) console.log(i)",
  progresses: "ctx.progress({ done: 1, total: 2, message: 'halfway' }); ctx.progress(1)",
  ends: "ctx.output('ending')",
  waits: `ctx.output("waiting");
    await new Promise((end) => ctx.signal.addEventListener("abort", end));
    ctx.output("tidied")`,
  works: "ctx.output('working'); await ctx.sleep(200)",
  stubborn: `ctx.output("waiting"); ${FOREVER}`,
  busy: "ctx.output('waiting'); await ctx.sleep(1); for (;;);",
  fails: "throw new Error('no good')",
  fails_for_good: "throw Object.assign(new Error('no good'), { retryable: false })",
  breaks: "throw Object.create(null)",
  crashes: "'x'.repeat(2 ** 29 - 25).split('')",
  large: "return 'x'.repeat(1024 * 1024)",
  deep: "return JSON.parse('['.repeat(31) + ']'.repeat(31))",
  speaks_late: "setTimeout(() => ctx.output('late'), 5)",
  steps: `const ran = [];
    await ctx.step("a", () => { ran.push("a") });
    if (ctx.attempt === 1) throw new Error("not yet");
    await ctx.step("b", () => { ran.push("b") });
    return ran`,
};

const codeFor = (work: string): string =>
  `export default async (input, ctx) => { ${BODIES[work as WorkName]} };`;

export const scripts: Subject = {
  name: "scripts",
  lacks: {},
  codes: { failed: "script.threw", crashed: ["memory", "runner.crashed"] },
  assigned: (work) => ({ capability: "script", scriptHash: work }),
  start: async () => {
    const { supervisor, stop } = await startSandbox({
      limits: { cpuMs: 5_000, graceMs: GRACE_MS },
    });
    const executor = scriptExecutor(supervisor, {
      scripts: {
        get: async (_, hash) =>
          await Promise.resolve({ code: codeFor(hash), fileName: "script.js" as const }),
        ofType: typeScripts({}),
      },
      libraries: createLibraries(),
      openEgress: () => NO_EGRESS,
    });
    return { executors: new Map([["script", executor]]), stop };
  },
  runnerFor: (server, drainMs) => {
    for (const work of Object.keys(BODIES)) server.putScript(work, codeFor(work));
    return runnerFor(server, { scripts: true, drainMs });
  },
};

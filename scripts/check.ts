/**
 * `npm run check`: everything about the text of the project that a machine can judge. Every step
 * runs, also after a failure; the last line counts them.
 */
import { breaking } from "./checks/breaking.ts";
import { generated } from "./checks/generated.ts";
import { type Outcome, type Step, toolStep } from "./checks/step.ts";

const STEPS: readonly Step[] = [
  toolStep("format", "oxfmt", "--check", "."),
  toolStep("types", "tsc", "--noEmit", "-p", "."),
  toolStep("types of the example scripts", "tsc", "--noEmit", "-p", "examples/scripts"),
  toolStep("lint", "oxlint", "--deny-warnings", "."),
  toolStep("buf lint", "buf", "lint"),
  breaking,
  generated,
  toolStep("architecture", "vitest", "run", "test/architecture"),
];

const runStep = async (step: Step): Promise<Outcome> => {
  try {
    return await step.run();
  } catch (caught) {
    return { kind: "failed", output: caught instanceof Error ? caught.message : String(caught) };
  }
};

const MARKS = { passed: "✓", failed: "✗", skipped: "-" } as const;

const failures: string[] = [];
let passed = 0;
for (const step of STEPS) {
  const start = performance.now();
  const outcome = await runStep(step);
  const seconds = ((performance.now() - start) / 1_000).toFixed(1).padStart(5);
  const why = outcome.kind === "skipped" ? `  skipped: ${outcome.why}` : "";
  console.log(`${MARKS[outcome.kind]} ${step.name.padEnd(30)} ${seconds} s${why}`);
  if (outcome.kind === "passed") passed += 1;
  if (outcome.kind === "failed") failures.push(`── ${step.name}\n\n${outcome.output.trimEnd()}`);
}
for (const failure of failures) console.log(`\n${failure}`);
console.log(`\n${passed} passed, ${failures.length} failed`);
process.exitCode = failures.length === 0 ? 0 : 1;

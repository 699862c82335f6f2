import { parseArgs } from "node:util";

import { complaints, soak, TOLERANCE } from "./soaking.ts";

const HELP = `Thousands of scripts of three organizations through one sandbox, one in ten of them hostile.

  npm run soak                                5,000 scripts, a child for each organization
  npm run soak -- --jobs 1000
  npm run soak -- --isolation process         a child for each script`;

const print = (line: string): void => {
  process.stdout.write(`${line}\n`);
};

const { values } = parseArgs({
  options: {
    jobs: { type: "string", default: "5000" },
    isolation: { type: "string", default: "tenant" },
    help: { type: "boolean", default: false },
  },
});

if (values.help) {
  print(HELP);
  process.exit();
}
const scripts = Number(values.jobs);
const { isolation } = values;
if (!Number.isInteger(scripts) || scripts < 100) throw new Error("--jobs must be 100 or more");
if (isolation !== "tenant" && isolation !== "process") {
  throw new Error("--isolation must be tenant or process");
}

const begun = performance.now();
const report = await soak({
  scripts,
  isolation,
  progress: (done, hostile) => {
    const seconds = ((performance.now() - begun) / 1_000).toFixed(0);
    print(`${done} of ${scripts} scripts, ${hostile} of them hostile, after ${seconds} s`);
  },
});

const mib = (bytes: number): string => (bytes / 1024 / 1024).toFixed(1);
const faults = complaints(report);
print(
  `\n${report.honest} honest and ${report.hostile} hostile scripts in ${report.seconds.toFixed(1)} s`,
);
print(`children at once: ${report.mostChildren}, allowed ${report.allowedChildren}`);
print(`children left after the stop: ${report.childrenLeft}`);
for (const [index, { supervisorBytes, childBytes }] of report.quarters.entries()) {
  print(
    `quarter ${index + 1}: supervisor ${mib(supervisorBytes)} MiB, child ${mib(childBytes)} MiB`,
  );
}
print(
  `allowed from quarter 2 to 4: ${TOLERANCE.part * 100} % and ${mib(TOLERANCE.bytes)} MiB more`,
);
for (const fault of faults) print(`WRONG: ${fault}`);
process.exitCode = faults.length === 0 ? 0 : 1;

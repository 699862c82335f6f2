import { BaseSequencer, type TestSpecification } from "vitest/node";

/**
 * The files that take more than ten seconds, of a process of their own or of others, the longest
 * first: one that began last would keep one core busy while the other has nothing to do. Of the
 * others the larger ones come first.
 */
const LONGEST = [
  "test/attacks/tenant.test.ts",
  "test/e2e/kills.test.ts",
  "test/simulation/simulation.test.ts",
  "test/attacks/process.test.ts",
  "test/telemetry/prometheus.test.ts",
  "test/cli/operator.test.ts",
  "test/e2e/mixed-work.test.ts",
  "test/e2e/callbacks.test.ts",
  "test/examples/demo.test.ts",
  "test/examples/report.test.ts",
  "test/examples/upstream.test.ts",
  "test/examples/handlers.test.ts",
  "test/cli/documented-commands.test.ts",
  "test/api/access.test.ts",
  "test/cli/update.test.ts",
  "test/runner/hostile-child.test.ts",
];

const rankOf = ({ moduleId }: TestSpecification): number => {
  const rank = LONGEST.findIndex((file) => moduleId.endsWith(file));
  return rank === -1 ? LONGEST.length : rank;
};

export class LongestFirst extends BaseSequencer {
  override async sort(files: TestSpecification[]): Promise<TestSpecification[]> {
    const sorted = await super.sort(files);
    // Files of one project stay together: what those of `together` have imported is theirs alone.
    const projects = [...new Set(sorted.map(({ project }) => project.name))];
    return projects.flatMap((name) =>
      sorted
        .filter(({ project }) => project.name === name)
        .toSorted((a, b) => rankOf(a) - rankOf(b)),
    );
  }
}

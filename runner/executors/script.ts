import { Code, ConnectError } from "@connectrpc/connect";

import type { AttemptEgress } from "../egress/egress.ts";
import { type Assignment, type Executor, unmeasured } from "../executor.ts";
import { failure } from "../failures.ts";
import type { Libraries } from "../module-wire.ts";
import type { Scripts, ScriptText } from "../scripts.ts";
import type { Supervisor } from "../supervisor.ts";
import { childCalls } from "./child-calls.ts";
import { moduleCalls } from "./module-calls.ts";
import { stepCalls } from "./step-calls.ts";

export type ScriptParts = {
  readonly scripts: Scripts;
  readonly libraries: Libraries;
  readonly openEgress: (assignment: Assignment) => AttemptEgress;
};

/** Runs user scripts: fetches the text, hands it to the sandbox with what it may ask of the runner. */
export const scriptExecutor = (
  supervisor: Pick<Supervisor, "run">,
  { scripts, libraries, openEgress }: ScriptParts,
): Executor => ({
  execute: async (assignment, report, signal) => {
    const { ref } = assignment;
    let script: ScriptText;
    try {
      script = await scripts.get(ref.organizationId, assignment.scriptHash);
    } catch (caught) {
      const cause = ConnectError.from(caught);
      const error =
        cause.code === Code.NotFound
          ? failure("script.not_found", "the text of the script is gone")
          : failure(
              "runner.crashed",
              "the runner could not get the text of the script from any server",
            );
      return { kind: "failed", error, ...unmeasured };
    }
    const egress = openEgress(assignment);
    return await supervisor.run(
      {
        organizationId: ref.organizationId,
        jobId: ref.jobId,
        attempt: ref.attempt,
        scriptHash: assignment.scriptHash,
        ...script,
        input: assignment.input,
        timeoutMs: assignment.attemptTimeoutMs,
        calls: new Map([
          ...stepCalls(report.steps),
          ...childCalls(report.children),
          ...egress.calls,
          ...moduleCalls(
            { ...assignment, organizationId: ref.organizationId, fileName: script.fileName },
            { scriptOf: scripts.ofType, libraries },
          ),
        ]),
        secrets: egress.secrets,
      },
      report,
      signal,
    );
  },
});

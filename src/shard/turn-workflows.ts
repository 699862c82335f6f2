import type { EdgeRow, WorkflowRow, WorkflowStepRow } from "../jobs/workflow.ts";
import type { ColdRows, ShardChanges, WorkflowKey, WorkflowRows } from "../store/store.ts";

const keyOf = ({ organizationId, id }: WorkflowKey): string => `${organizationId}/${id}`;

/**
 * The workflows of one turn: the ended ones that its commands asked for, and what it changes. Those
 * that have not ended are in the state.
 */
export class TurnWorkflows {
  readonly #cold = new Map<string, WorkflowRows>();
  readonly #changed = new Map<string, WorkflowRow>();
  readonly #steps: WorkflowStepRow[] = [];
  readonly #edges: EdgeRow[] = [];
  readonly #purged: WorkflowKey[] = [];

  constructor({ workflows }: Pick<ColdRows, "workflows">) {
    for (const rows of workflows) this.#cold.set(keyOf(rows.workflow), rows);
  }

  get changedNothing(): boolean {
    return this.#changed.size === 0 && this.#purged.length === 0;
  }

  /** As it was read for this turn; null if there is none, or nobody asked. */
  cold(key: WorkflowKey): WorkflowRows | null {
    return this.#cold.get(keyOf(key)) ?? null;
  }

  put(row: WorkflowRow): void {
    this.#changed.set(keyOf(row), row);
  }

  add({ workflow, steps, edges }: WorkflowRows): void {
    this.put(workflow);
    this.#steps.push(...steps);
    this.#edges.push(...edges);
  }

  purge(key: WorkflowKey): void {
    this.#cold.delete(keyOf(key));
    this.#purged.push(key);
  }

  changes(): Pick<ShardChanges, "workflows" | "workflowSteps" | "edges" | "purgedWorkflows"> {
    return {
      workflows: [...this.#changed.values()],
      workflowSteps: this.#steps,
      edges: this.#edges,
      purgedWorkflows: this.#purged,
    };
  }
}

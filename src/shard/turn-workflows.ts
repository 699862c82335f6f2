import type { EdgeRow, WorkflowRow, WorkflowStepRow } from "../jobs/workflow.ts";
import type {
  ColdRows,
  PurgedWorkflow,
  ShardChanges,
  WorkflowKey,
  WorkflowRows,
} from "../store/store.ts";
import { ActiveWorkflow } from "./active-workflow.ts";

const keyOf = ({ organizationId, id }: WorkflowKey): string => `${organizationId}/${id}`;

/**
 * The workflows of one turn: the ended ones that its commands asked for, and what it changes. Those
 * that have not ended are in the state.
 */
export class TurnWorkflows {
  readonly #cold = new Map<string, WorkflowRows>();
  /** That ended in this turn: no longer in the state, not yet in the database. */
  readonly #departed = new Map<string, ActiveWorkflow>();
  readonly #changed = new Map<string, WorkflowRow>();
  readonly #steps: WorkflowStepRow[] = [];
  readonly #edges: EdgeRow[] = [];
  readonly #purged: PurgedWorkflow[] = [];

  constructor({ workflows }: Pick<ColdRows, "workflows">) {
    for (const rows of workflows) this.#cold.set(keyOf(rows.workflow), rows);
  }

  get changedNothing(): boolean {
    return this.#changed.size === 0 && this.#purged.length === 0;
  }

  /** One that has ended, in this turn or before; null if there is none, or nobody asked for it. */
  ended(key: WorkflowKey): ActiveWorkflow | null {
    const departed = this.#departed.get(keyOf(key));
    if (departed !== undefined) return departed;
    const cold = this.#cold.get(keyOf(key));
    return cold === undefined ? null : new ActiveWorkflow(cold);
  }

  put(row: WorkflowRow): void {
    this.#changed.set(keyOf(row), row);
  }

  /** It has ended: the state does not hold it any more. */
  depart(workflow: ActiveWorkflow): void {
    this.#departed.set(keyOf(workflow.row), workflow);
  }

  /** It is in the state again. */
  revive(workflow: ActiveWorkflow): void {
    this.#departed.delete(keyOf(workflow.row));
    this.#cold.delete(keyOf(workflow.row));
  }

  add({ workflow, steps, edges }: WorkflowRows): void {
    this.put(workflow);
    this.#steps.push(...steps);
    this.#edges.push(...edges);
  }

  /** From now on it is as if it had never been. */
  purge(workflow: PurgedWorkflow): void {
    this.#cold.delete(keyOf(workflow));
    this.#purged.push(workflow);
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

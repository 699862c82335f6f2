import type { OrganizationId, WorkflowId } from "../jobs/ids.ts";
import type { JobRow } from "../jobs/job.ts";
import type { WorkflowKey, WorkflowRows } from "../store/store.ts";
import { ActiveWorkflow } from "./active-workflow.ts";

const keyOf = (organizationId: OrganizationId, id: WorkflowId): string => `${organizationId}/${id}`;

/** The workflows of a shard that have not ended. */
export class Workflows {
  readonly #workflows = new Map<string, ActiveWorkflow>();

  get size(): number {
    return this.#workflows.size;
  }

  find({ organizationId, id }: WorkflowKey): ActiveWorkflow | undefined {
    return this.#workflows.get(keyOf(organizationId, id));
  }

  /** The workflow that the job is a step of; undefined for a job on its own. */
  of({ organizationId, workflowId }: JobRow): ActiveWorkflow | undefined {
    return workflowId === "" ? undefined : this.find({ organizationId, id: workflowId });
  }

  /** Whether the job is a step one of whose upstreams has not ended. */
  waits(job: JobRow): boolean {
    return (this.of(job)?.step(job.id).waits ?? 0) > 0;
  }

  add(rows: WorkflowRows): ActiveWorkflow {
    return this.restore(new ActiveWorkflow(rows));
  }

  /** One that had ended is active again. */
  restore(workflow: ActiveWorkflow): ActiveWorkflow {
    this.#workflows.set(keyOf(workflow.row.organizationId, workflow.row.id), workflow);
    return workflow;
  }

  remove({ organizationId, id }: WorkflowKey): void {
    this.#workflows.delete(keyOf(organizationId, id));
  }

  [Symbol.iterator](): Iterator<ActiveWorkflow> {
    return this.#workflows.values();
  }
}

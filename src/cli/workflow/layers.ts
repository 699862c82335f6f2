import type { WorkflowNode } from "../../gen/millrace/v1/workflow_pb.ts";
import { depthsOf } from "../../jobs/step-order.ts";

/**
 * Steps by how many others lead up to them: what stands in one layer waits for nothing in it. In
 * each layer they keep their order.
 */
export const layersOf = (nodes: readonly WorkflowNode[]): WorkflowNode[][] => {
  const indexes = new Map(nodes.map(({ name }, index) => [name, index]));
  const depths = depthsOf(
    nodes.map(({ after }) => after.flatMap(({ step }) => indexes.get(step) ?? [])),
  );
  const layers: WorkflowNode[][] = [];
  for (const [index, node] of nodes.entries()) (layers[(depths[index] ?? 1) - 1] ??= []).push(node);
  return layers;
};

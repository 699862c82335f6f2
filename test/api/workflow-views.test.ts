import { afterAll, beforeAll, describe, expect, it } from "vitest";

import { stateName } from "../../src/cli/job/describe.ts";
import { WorkflowState } from "../../src/gen/millrace/v1/workflow_pb.ts";
import { MEMBER_PERMISSIONS } from "../../src/jobs/abilities.ts";
import { systemRandom } from "../../src/runtime/random.ts";
import { ENGINES } from "../support/databases.ts";
import { aStep, createFlows, type Flows, WORK } from "../support/flows.ts";
import { refusalOf } from "../support/refusal.ts";
import type { TestServer } from "../support/server.ts";
import { startServerOn } from "../support/server-on.ts";

describe.each(ENGINES)("workflows to those who look, on %s", (engine) => {
  let server: TestServer;
  let flows: Flows;

  beforeAll(async () => {
    server = await startServerOn(engine, { handlers: [WORK, "idle"] });
    flows = createFlows(server);
  });
  afterAll(async () => {
    await server.stop();
  });

  it("are submitted once however often they are sent, under an id of one's own choice", async () => {
    const workflowId = systemRandom.uuid();
    const requestId = systemRandom.uuid();
    const request = { requestId, workflowId, steps: [aStep("only")] };
    const first = await server.jobs.submitWorkflow(request);
    const again = await server.jobs.submitWorkflow(request);
    expect([first.created, again.created]).toEqual([true, false]);
    expect(again.workflow?.id).toBe(workflowId);
    expect(again.nodes.map(({ job }) => job?.id)).toEqual(first.nodes.map(({ job }) => job?.id));
    const refused = async (call: Promise<unknown>): Promise<string> =>
      (await refusalOf(call)).reason;
    const other = { ...request, steps: [aStep("other")] };
    expect(await refused(server.jobs.submitWorkflow(other))).toBe("REQUEST_ID_REUSED");
    const { spec } = aStep("only");
    const ofJob = server.jobs.submitJob({ requestId, ...(spec && { spec }) });
    expect(await refused(ofJob)).toBe("REQUEST_ID_REUSED");
    const taken = server.jobs.submitWorkflow({ ...request, requestId: "" });
    expect(await refused(taken)).toBe("WORKFLOW_ALREADY_EXISTS");
    await flows.run(workflowId);
    expect((await server.jobs.submitWorkflow(request)).workflow?.state).toBe(
      WorkflowState.SUCCEEDED,
    );
  });

  it("are checked and not made with validate_only", async () => {
    const workflowId = systemRandom.uuid();
    const request = { workflowId, validateOnly: true, steps: [aStep("only")] };
    expect(await server.jobs.submitWorkflow(request)).toMatchObject({ nodes: [], created: false });
    expect(await refusalOf(server.jobs.getWorkflow({ workflowId }))).toMatchObject({
      reason: "WORKFLOW_NOT_FOUND",
      metadata: { workflow_id: workflowId },
    });
    const wrong = server.jobs.submitWorkflow({ ...request, steps: [aStep("a", { after: ["a"] })] });
    expect((await refusalOf(wrong)).fields).toEqual(["steps[0].after[0].step"]);
  });

  it("are seen by who submitted them and by admins; others hear that there is none", async () => {
    const { organizationId } = server.admin;
    const [ann, bob] = [
      server.jobsOf(await server.addUser(organizationId, MEMBER_PERMISSIONS)),
      server.jobsOf(await server.addUser(organizationId, MEMBER_PERMISSIONS)),
    ];
    const stranger = server.jobsOf(await server.addUser(await server.addOrganization(), ["admin"]));
    const idle = aStep("idle", { spec: { work: { case: "type", value: "idle" } } });
    const { workflow } = await ann.submitWorkflow({ steps: [idle] });
    const workflowId = workflow?.id ?? "";
    for (const jobs of [ann, server.jobs]) {
      expect((await jobs.getWorkflow({ workflowId })).workflow?.id).toBe(workflowId);
      const { workflows } = await jobs.listWorkflows({});
      expect(workflows.map(({ id }) => id)).toContain(workflowId);
    }
    for (const jobs of [bob, stranger]) {
      expect((await jobs.listWorkflows({})).workflows).toEqual([]);
      const calls = [
        async () => await jobs.getWorkflow({ workflowId }),
        async () => await jobs.cancelWorkflow({ workflowId }),
        async () => await jobs.retryWorkflow({ workflowId }),
      ];
      for (const call of calls) {
        const refusal = await refusalOf(call());
        const absent = systemRandom.uuid();
        const expected = await refusalOf(jobs.getWorkflow({ workflowId: absent }));
        expect(refusal).toEqual({ ...expected, metadata: { workflow_id: workflowId } });
      }
    }
    await ann.cancelWorkflow({ workflowId });
  });

  it("are listed newest first, by state, in pages that are good for one list", async () => {
    const jobs = server.jobsOf(
      await server.addUser(server.admin.organizationId, MEMBER_PERMISSIONS),
    );
    const idle = aStep("idle", { spec: { work: { case: "type", value: "idle" } } });
    const ids: string[] = [];
    for (let made = 0; made < 5; made += 1) {
      ids.unshift((await jobs.submitWorkflow({ steps: [idle] })).workflow?.id ?? "");
    }
    await jobs.cancelWorkflow({ workflowId: ids[1] ?? "" });
    const first = await jobs.listWorkflows({ pageSize: 3 });
    const { nextPageToken: pageToken } = first;
    const second = await jobs.listWorkflows({ pageSize: 3, pageToken });
    const seen = [...first.workflows, ...second.workflows].map(({ id }) => id);
    expect(seen).toEqual(ids);
    expect(second.nextPageToken).toBe("");
    const cancelled = [WorkflowState.CANCELLED];
    const listed = await jobs.listWorkflows({ states: cancelled });
    expect(listed.workflows.map(({ id }) => id)).toEqual([ids[1]]);
    const both = await jobs.listWorkflows({ states: [...cancelled, WorkflowState.RUNNING] });
    expect(both.workflows.map(({ id }) => id)).toEqual(ids);
    const other = await refusalOf(jobs.listWorkflows({ states: cancelled, pageToken }));
    expect(other.fields).toEqual(["page_token"]);
    const wrong = await refusalOf(jobs.listWorkflows({ states: [0, 9 as 0], pageSize: 1_001 }));
    expect(wrong.fields).toEqual(["states[0]", "states[1]", "page_size"]);
    for (const workflowId of ids.filter((_, index) => index !== 1)) {
      await jobs.cancelWorkflow({ workflowId });
    }
  });

  it("have jobs that are listed and watched by the workflow alone", async () => {
    const other = await flows.submit(aStep("other"));
    const id = await flows.submit(aStep("a"), aStep("b", { input: { $from: "a" } }));
    const stop = new AbortController();
    const seen: string[] = [];
    const watching = (async (): Promise<void> => {
      const request = { filter: { workflowId: id } };
      for await (const { jobs } of server.jobs.watchJobs(request, { signal: stop.signal })) {
        seen.push(...jobs.map(({ stepName, state }) => `${stepName} ${stateName(state)}`));
        if (seen.includes("b SUCCEEDED")) return;
      }
    })();
    await flows.run(other);
    await flows.run(id, { a: () => 1 });
    await watching;
    stop.abort();
    expect(seen.every((text) => !text.startsWith("other"))).toBe(true);
    expect(seen).toContain("a SUCCEEDED");
    const { jobs, total } = await server.jobs.listJobs({
      filter: { workflowId: id },
      includeTotal: true,
    });
    expect(jobs.map(({ stepName }) => stepName).toSorted()).toEqual(["a", "b"]);
    expect(total).toBe(2n);
  });
});

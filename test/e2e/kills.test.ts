import { describe, expect, test } from "vitest";

import { ENGINES, type EngineName } from "../support/databases.ts";
import { childrenOf } from "../support/sandbox-processes.ts";
import { beginFamilies } from "./kills/families.ts";
import { beginJobs } from "./kills/jobs.ts";
import { beginWorkflow } from "./kills/workflow.ts";
import { countOf, startWorld } from "./kills/world.ts";

/** They wait for leases and lost runners for most of their time: so they wait together. */
describe.concurrent("jobs, the steps of a workflow, and families of jobs end exactly once", () => {
  const survive = async (engine: EngineName): Promise<void> => {
    await using world = await startWorld(engine);
    const { server, newRunner, untilEnded } = world;
    const first = await newRunner();

    const works = [await beginFamilies(world, 1), await beginWorkflow(world), beginJobs(world, 1)];
    const half = works.reduce((sum, { count }) => sum + count, 0);
    await untilEnded(half * 0.2);
    await server.kill("SIGKILL");
    await server.start();
    await untilEnded(half * 0.6);
    const child = childrenOf(first.pid)[0];
    if (child === undefined) throw new Error("the runner has no sandbox child");
    process.kill(child, "SIGKILL");
    await untilEnded(half);

    works.push(await beginFamilies(world, 2), await beginWorkflow(world), beginJobs(world, 2));
    await first.kill("SIGKILL");
    await server.kill("SIGKILL");
    await server.start();
    await newRunner();
    await untilEnded(2 * half);

    for (const work of works) await work.check();
    expect(await countOf(world.jobs, [])).toBe(2 * half);
    await world.checkCounts(2 * half);
    await world.checkNotices(2 * half);
  };

  test.each(ENGINES)("when servers, a runner and a sandbox child are killed, on %s", survive);
});

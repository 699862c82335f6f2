import { afterAll, beforeAll, describe, expect, it } from "vitest";

import { composeRunner, readRunnerConfig } from "../../runner/main.ts";
import { shardOf } from "../../src/cluster/shard-of.ts";
import type { OrganizationId } from "../../src/jobs/ids.ts";
import type { Service } from "../../src/runtime/lifecycle.ts";
import { systemRandom } from "../../src/runtime/random.ts";
import {
  type Kind,
  KINDS,
  type Run,
  type SlowServer,
  startSlowServer,
  submitKind,
} from "../support/mixed-work.ts";
import { startTestServer, type TestServer } from "../support/server.ts";

const EACH = 50;
const SLOTS = 4;
/** What an attempt is expected to cost before any has ended: docs/scheduling.md. */
const FIRST_ESTIMATE_MS = 100;

const costOf = ({ cpuMs }: Run): number => Math.max(1, cpuMs);

const most = (values: readonly number[]): number => Math.max(0, ...values);

describe("three organizations, of which one computes, one sleeps and one fetches from a slow server, on 4 slots", () => {
  let server: TestServer;
  let runner: Service | undefined;
  let slow: SlowServer | undefined;
  let runs: readonly Run[] = [];
  const of = (kind: Kind): readonly Run[] => runs.filter((run) => run.kind === kind);
  const kinds = Object.keys(KINDS) as readonly Kind[];

  /** Ids of the same shard, where one owner decides whose turn it is. */
  const organization = async (): Promise<OrganizationId> => {
    const shards = (await server.store.shards.list()).length;
    let id = systemRandom.uuid() as OrganizationId;
    while (shardOf(id, shards) !== 0) id = systemRandom.uuid() as OrganizationId;
    return await server.addOrganization({ id, maxRunning: EACH });
  };

  beforeAll(async () => {
    server = await startTestServer();
    const waiting: (() => Promise<Run[]>)[] = [];
    for (const kind of kinds) {
      const user = await server.addUser(await organization(), ["admin"]);
      waiting.push(await submitKind(server.jobsOf(user), kind, EACH));
    }
    slow = await startSlowServer();
    // All of them wait before the first slot is there.
    runner = composeRunner({
      config: {
        ...readRunnerConfig({
          MILLRACE_INTERNAL_URL: server.internalUrl,
          MILLRACE_RUNNER_TOKEN: server.runnerToken,
          MILLRACE_RUNNER_SLOTS: String(SLOTS),
        }),
        settings: slow.settings,
      },
    });
    await runner.start();
    runs = (await Promise.all(waiting.map(async (all) => await all()))).flat();
  });

  afterAll(async () => {
    await runner?.stop();
    await server.stop();
    await slow?.close();
  });

  it("all end as they should", () => {
    for (const kind of kinds) expect(of(kind)).toHaveLength(EACH);
  });

  it("each begin before anybody has begun twice, but for the slot that is over", () => {
    const first = runs.toSorted((a, b) => a.started - b.started).slice(0, SLOTS);
    expect(new Set(first.map(({ kind }) => kind)).size).toBe(kinds.length);
  });

  it("get the same processor time while they wait, within the bound of the scheduler", () => {
    for (const [index, a] of kinds.entries()) {
      for (const b of kinds.slice(index + 1)) {
        const [lastOfA, lastOfB] = [a, b].map((kind) =>
          most(of(kind).map(({ started }) => started)),
        );
        const bothWait = Math.min(lastOfA ?? 0, lastOfB ?? 0);
        const served = (kind: Kind, until: number): number =>
          of(kind)
            .filter(({ ended }) => ended < until)
            .reduce((sum, run) => sum + costOf(run), 0);
        const slack = (kind: Kind): number => {
          const cost = most(of(kind).map(costOf));
          return SLOTS * (cost + Math.max(cost, FIRST_ESTIMATE_MS));
        };
        for (const { ended } of runs.filter((run) => run.ended <= bothWait)) {
          const apart = Math.abs(served(a, ended) - served(b, ended));
          expect(apart, `${a} and ${b}`).toBeLessThanOrEqual(slack(a) + slack(b));
        }
      }
    }
  });

  it("and those that compute, who came first, do not go before those that need little", () => {
    const last = most(of("sleeps").map(({ started }) => started));
    const before = of("computes").filter(({ started }) => started < last);
    expect(before.length).toBeLessThan(EACH / 2);
  });
});

import { impliedBy } from "../../src/jobs/abilities.ts";
import { NO_CHANGES } from "../../src/store/store.ts";
import { create, type MessageInitShape } from "@bufbuild/protobuf";
import { createHandlerContext } from "@connectrpc/connect";
import { describe, expect, it } from "vitest";

import { callerKey } from "../../src/api/caller-context.ts";
import { type JobApi, openCall } from "../../src/api/job-service/api.ts";
import { watchJob } from "../../src/api/job-service/watch-job.ts";
import { watchJobs } from "../../src/api/job-service/watch-jobs.ts";
import { createSeal } from "../../src/api/sealed-token.ts";
import { createJobTypes } from "../../src/catalog/job-types.ts";
import { createSchemaChecker } from "../../src/catalog/schema/checker.ts";
import { createScriptCompiler } from "../../src/catalog/script/compiler.ts";
import {
  JobService,
  WatchJobRequestSchema,
  WatchJobsRequestSchema,
  type WatchJobsResponseSchema,
} from "../../src/gen/millrace/v1/job_service_pb.ts";
import { JobFault } from "../../src/jobs/errors.ts";
import type { OrganizationId, UserId } from "../../src/jobs/ids.ts";
import type { JobRow } from "../../src/jobs/job.ts";
import { PUBLIC_RECEIVERS } from "../../src/outgoing/receivers.ts";
import { ShardFeed } from "../../src/shard/feed.ts";
import type { ShardOwner } from "../../src/shard/owner.ts";
import { openStore } from "../../src/store/open.ts";
import type { Store } from "../../src/store/store.ts";
import { aJobId, aJobRow, aSpecRow } from "../support/job-row.ts";
import { createManualClock } from "../support/manual-clock.ts";

const organizationId = "acme" as OrganizationId;
const HEARTBEAT_MS = 15_000;

/** The handlers on a real store and a real feed; a test writes the commits and moves the clock. */
const aWorld = async () => {
  const store: Store = await openStore("sqlite::memory:");
  const clock = createManualClock();
  const claimed = await store.shards.claim(0, "me", 10_000);
  if (claimed === null) throw new Error("the shard is taken");
  const fence = { shardId: 0, epoch: claimed.epoch };
  let { revision } = claimed;
  let feed: ShardFeed | null = new ShardFeed();
  const api: JobApi = {
    router: {
      shardOf: () => 0,
      ownerOf: () => {
        if (feed === null) throw new JobFault("SHARD_UNAVAILABLE", "moving");
        return { feed } as unknown as ShardOwner;
      },
    },
    jobs: store.jobs,
    workflows: store.workflows,
    users: { find: async () => await Promise.resolve(null), forget: () => {} },
    clock,
    newId: aJobId,
    scripts: createScriptCompiler(clock),
    schemas: createSchemaChecker(clock),
    types: createJobTypes({
      catalog: store.catalog,
      clock,
      newId: aJobId,
      changed: async () => {},
    }),
    seal: createSeal("key"),
    receivers: PUBLIC_RECEIVERS,
    shutdown: new AbortController().signal,
  };
  const call = (method: "watchJob" | "watchJobs") => {
    const context = createHandlerContext({
      service: JobService,
      method: JobService.method[method],
      protocolName: "grpc",
      requestMethod: "POST",
      url: "http://localhost/",
    });
    context.values.set(callerKey, {
      kind: "user",
      organizationId,
      userId: "ada" as UserId,
      permissions: impliedBy(["admin"]),
      tokenId: "a token",
      attempt: null,
    });
    return {
      call: openCall(api, context),
      end: () => context.abort(new Error("the test is over")),
    };
  };
  const commit = async (changes: { inserted?: JobRow[]; updated?: JobRow[] }, published = true) => {
    revision += 1;
    const mark = (rows: readonly JobRow[] = []) => rows.map((row) => ({ ...row, revision }));
    const [inserted, updated] = [mark(changes.inserted), mark(changes.updated)];
    await store.shards.commit(fence, {
      ...NO_CHANGES,
      revision,
      inserted,
      updated,
      specs: inserted.map(aSpecRow),
    });
    if (published) feed?.publish(revision, [...inserted, ...updated], []);
  };
  return {
    clock,
    commit,
    call,
    moveShard: {
      away: () => {
        feed?.close();
        feed = null;
      },
      back: () => {
        feed = new ShardFeed();
      },
    },
    close: async () => await store.close(),
  };
};

const tokenOf = (message: { value?: MessageInitShape<typeof WatchJobsResponseSchema> | void }) =>
  (message.value as MessageInitShape<typeof WatchJobsResponseSchema>).resumeToken;

describe("a quiet watch", () => {
  it("of a job sends a heartbeat with a token every 15 s", async () => {
    const world = await aWorld();
    const job = aJobRow({ organizationId });
    await world.commit({ inserted: [job] });
    const { call, end } = world.call("watchJob");
    const stream = watchJob(call, create(WatchJobRequestSchema, { jobId: job.id }));
    expect((await stream.next()).value).toMatchObject({ job: { id: job.id } });
    for (let beat = 0; beat < 2; beat += 1) {
      const next = stream.next();
      await world.clock.waitedFor(HEARTBEAT_MS);
      world.clock.advance(HEARTBEAT_MS);
      expect((await next).value).toEqual({
        heartbeat: true,
        resumeToken: expect.stringMatching(/.\../),
      });
    }
    end();
    await expect(stream.next()).rejects.toThrow("the test is over");
    await world.close();
  });

  it("of an organization gets a token that keeps up with the rest of the shard", async () => {
    const world = await aWorld();
    const { call, end } = world.call("watchJobs");
    const stream = watchJobs(call, create(WatchJobsRequestSchema, { skipSnapshot: true }));
    const first = tokenOf(await stream.next());
    const beat = async () => {
      const next = stream.next();
      await world.clock.waitedFor(HEARTBEAT_MS);
      world.clock.advance(HEARTBEAT_MS);
      return await next;
    };
    const quiet = await beat();
    expect(quiet.value).toMatchObject({ heartbeat: true, resumeToken: first });
    await world.commit({ inserted: [aJobRow({ organizationId: "other" as OrganizationId })] });
    const later = await beat();
    expect(later.value).toMatchObject({ heartbeat: true, jobs: [] });
    expect(tokenOf(later)).not.toBe(first);
    end();
    await expect(stream.next()).rejects.toThrow("the test is over");
    await world.close();
  });
});

describe("a watch whose shard moves", () => {
  it("misses nothing of what is committed while it is away", async () => {
    const world = await aWorld();
    const [one, two] = [aJobRow({ organizationId }), aJobRow({ organizationId })];
    const { call, end } = world.call("watchJobs");
    const stream = watchJobs(call, create(WatchJobsRequestSchema, { skipSnapshot: true }));
    await stream.next();
    await world.commit({ inserted: [one] });
    expect((await stream.next()).value).toMatchObject({ jobs: [{ id: one.id }] });
    const next = stream.next();
    world.moveShard.away();
    await world.commit({ inserted: [two] });
    await world.clock.waitedFor(200);
    world.moveShard.back();
    world.clock.advance(200);
    expect((await next).value).toMatchObject({ jobs: [{ id: two.id }] });
    end();
    await expect(stream.next()).rejects.toThrow("the test is over");
    await world.close();
  });

  it("gives up after 15 s, for another server to take over", async () => {
    const world = await aWorld();
    const { call, end } = world.call("watchJobs");
    const stream = watchJobs(call, create(WatchJobsRequestSchema, { skipSnapshot: true }));
    await stream.next();
    const next = stream.next();
    world.moveShard.away();
    await world.clock.waitedFor(200);
    world.clock.advance(20_000);
    expect((await next).value).toMatchObject({ heartbeat: true });
    await expect(stream.next()).rejects.toMatchObject({ reason: "SHARD_UNAVAILABLE" });
    end();
    await world.close();
  });
});

import { describe, expect, test } from "vitest";

import type { OrganizationId } from "../../src/jobs/ids.ts";
import { ShardFeed } from "../../src/shard/feed.ts";
import { aJobRow } from "../support/job-row.ts";
import { acme } from "./harness.ts";

const { signal } = new AbortController();

describe("the feed", () => {
  test("gives a watcher of one job that job's changes and no others", async () => {
    const feed = new ShardFeed();
    const [mine, other] = [aJobRow(), aJobRow()];
    const subscription = feed.watchJob(acme, mine.id);
    feed.publish(1, [other], []);
    feed.publish(2, [other, mine], []);
    const item = await subscription.next(signal);
    expect(item).toEqual({ kind: "commit", commit: { revision: 2, jobs: [mine], output: [] } });
  });

  test("gives a watcher of an organization nothing of another one", async () => {
    const feed = new ShardFeed();
    const subscription = feed.watchOrganization(acme);
    const foreign = aJobRow({ organizationId: "other" as OrganizationId });
    const own = aJobRow();
    feed.publish(1, [foreign], []);
    feed.publish(2, [foreign, own], []);
    const item = await subscription.next(signal);
    expect(item).toEqual({ kind: "commit", commit: { revision: 2, jobs: [own], output: [] } });
  });

  test("wakes a watcher that waits", async () => {
    const feed = new ShardFeed();
    const job = aJobRow();
    const next = feed.watchJob(acme, job.id).next(signal);
    feed.publish(1, [job], []);
    expect((await next).kind).toBe("commit");
  });

  test("tells a watcher that does not keep up to read from the store, then goes on", async () => {
    const feed = new ShardFeed();
    const subscription = feed.watchOrganization(acme);
    for (let revision = 1; revision <= 66; revision += 1) {
      feed.publish(revision, [aJobRow({ revision })], []);
    }
    expect(await subscription.next(signal)).toEqual({ kind: "behind" });
    expect(await subscription.next(signal)).toMatchObject({ commit: { revision: 66 } });
  });

  test("shares one commit among all watchers of the same rows", async () => {
    const feed = new ShardFeed();
    const [first, second] = [feed.watchOrganization(acme), feed.watchOrganization(acme)];
    feed.publish(1, [aJobRow()], []);
    const [a, b] = [await first.next(signal), await second.next(signal)];
    expect(a.kind === "commit" && b.kind === "commit" && a.commit === b.commit).toBe(true);
  });

  test("tells every watcher to come again when it closes", async () => {
    const feed = new ShardFeed();
    const subscription = feed.watchJob(acme, aJobRow().id);
    feed.close();
    expect(await subscription.next(signal)).toEqual({ kind: "closed" });
  });

  test("stops waiting when its signal says so", async () => {
    const controller = new AbortController();
    const next = new ShardFeed().watchOrganization(acme).next(controller.signal);
    controller.abort(new Error("enough"));
    await expect(next).rejects.toThrow("enough");
  });
});

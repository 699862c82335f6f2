import { describe, expect, test } from "vitest";

import type { AttributeRow } from "../../src/jobs/attribute.ts";
import { type AuditRow, SERVER } from "../../src/jobs/audit.ts";
import type { UserId } from "../../src/jobs/ids.ts";
import { NOTHING_WANTED } from "../../src/store/store.ts";
import { claimed } from "../support/changes.ts";
import { ENGINES } from "../support/databases.ts";
import { aJobId } from "../support/job-row.ts";
import { ACME, GLOBEX, placeOf } from "../support/store-rows.ts";
import { withStore } from "../support/stores.ts";

const ann = "ann" as UserId;
const bob = "bob" as UserId;

const anAttribute = (value: string, facts: Partial<AttributeRow> = {}): AttributeRow => ({
  organizationId: ACME,
  userId: ann,
  name: "team",
  value,
  kind: "STATIC",
  createdAt: 7,
  ...facts,
});

const aLine = (subject: string, organizationId = ACME): AuditRow => ({
  organizationId,
  id: aJobId(),
  at: 5,
  actor: SERVER,
  action: "user.update",
  subject,
  details: null,
});

describe.each(ENGINES)("attributes on %s", (engine) => {
  const given = withStore(engine);
  const place = placeOf({ organizationId: ACME });

  test("are kept byte by byte, listed by name and value, and removed one by one", async () => {
    const owner = await claimed(given.store.shards);
    const rows = [
      anAttribute(""),
      anAttribute("a"),
      anAttribute("a "),
      anAttribute("A"),
      anAttribute("a\0b"),
      anAttribute("🚀"),
      anAttribute("x", { name: "release-job", kind: "DYNAMIC" }),
    ];
    await owner.commit({ attributes: [...rows, anAttribute("b", { userId: bob })] });
    const { identity } = given.store;
    const listed = await identity.attributes(place, ann);
    expect(listed.map(({ name, value, kind }) => [name, value, kind])).toEqual([
      ["release-job", "x", "DYNAMIC"],
      ["team", "", "STATIC"],
      ["team", "A", "STATIC"],
      ["team", "a", "STATIC"],
      ["team", "a\0b", "STATIC"],
      ["team", "a ", "STATIC"],
      ["team", "🚀", "STATIC"],
    ]);
    await owner.commit({ removedAttributes: [anAttribute("a"), anAttribute("🚀")] });
    const left = (await identity.attributes(place, ann)).map(({ value }) => value);
    expect(left).toEqual(["x", "", "A", "a\0b", "a "]);
    expect(await identity.attributes(place, bob)).toHaveLength(1);
  });

  test("that are there already stay as they are", async () => {
    const owner = await claimed(given.store.shards);
    await owner.commit({ attributes: [anAttribute("a")] });
    await owner.commit({ attributes: [anAttribute("a", { createdAt: 9 })] });
    expect(await given.store.identity.attributes(place, ann)).toEqual([anAttribute("a")]);
  });

  test("that go and come anew in one commit are the new ones", async () => {
    const owner = await claimed(given.store.shards);
    const [old, anew] = [anAttribute("a"), anAttribute("a", { kind: "DYNAMIC", createdAt: 9 })];
    await owner.commit({ attributes: [old] });
    await owner.commit({ attributes: [anew], removedAttributes: [old] });
    expect(await given.store.identity.attributes(place, ann)).toEqual([anew]);
  });

  test("are read and counted for many users in one go", async () => {
    const owner = await claimed(given.store.shards);
    const users = Array.from({ length: 450 }, (_, at) => `user-${at}` as UserId);
    await owner.commit({
      attributes: users.flatMap((userId) => [
        anAttribute("a", { userId }),
        anAttribute("b", { userId, organizationId: GLOBEX }),
      ]),
    });
    await owner.commit({
      attributes: [anAttribute("c", { userId: bob }), anAttribute("d", { userId: bob })],
    });
    const attributes = [...users, ann].map((userId) => anAttribute("a", { userId }));
    const attributeCounts = [...users, ann, bob].map((userId) => ({
      organizationId: ACME,
      userId,
    }));
    const wanted = { ...NOTHING_WANTED, attributes, attributeCounts };
    const cold = await given.store.shards.readCold(0, wanted);
    expect(cold.attributes).toHaveLength(users.length);
    const counts = new Map(cold.attributeCounts.map(({ userId, count }) => [userId, count]));
    expect(counts.size).toBe(users.length + 1);
    expect([counts.get(bob), counts.get(users[7] as UserId), counts.get(ann)]).toEqual([
      2,
      1,
      undefined,
    ]);
  });
});

describe.each(ENGINES)("the audit log's rows on %s", (engine) => {
  const given = withStore(engine);

  test("come newest first, of one subject if it is asked for, of one organization always", async () => {
    const { identity } = given.store;
    const lines = ["x", "y", "x", "y", "x"].map((subject) => aLine(subject));
    for (const line of lines) await identity.insertAudit(0, line);
    await identity.insertAudit(0, aLine("x", GLOBEX));
    const place = placeOf({ organizationId: ACME });
    const all = await identity.listAudit(place, null, { before: null, limit: 10 });
    expect(all).toEqual(lines.toReversed());
    const ofX = await identity.listAudit(place, "x", { before: null, limit: 2 });
    expect(ofX).toEqual([lines[4], lines[2]]);
    const next = await identity.listAudit(place, "x", { before: ofX[1]?.id ?? "", limit: 2 });
    expect(next).toEqual([lines[0]]);
  });
});

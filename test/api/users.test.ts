import { afterAll, beforeAll, describe, expect, it } from "vitest";

import { UserService } from "../../src/gen/millrace/v1/user_service_pb.ts";
import { ABILITIES, MEMBER_PERMISSIONS } from "../../src/jobs/abilities.ts";
import { systemRandom } from "../../src/runtime/random.ts";
import { ENGINES } from "../support/databases.ts";
import { refusalOf } from "../support/refusal.ts";
import type { TestServer, TestUser } from "../support/server.ts";
import { startServerOn } from "../support/server-on.ts";

describe.each(ENGINES)("users on %s", (engine) => {
  let server: TestServer;
  let member: TestUser;
  beforeAll(async () => {
    server = await startServerOn(engine);
    member = await server.addUser(server.admin.organizationId, ABILITIES);
  });
  afterAll(async () => {
    await server.stop();
  });

  const users = (token = server.admin.token) => server.clientOf(UserService, token);
  const fresh = async (admins = 1): Promise<TestUser[]> => {
    const organizationId = await server.addOrganization();
    return await Promise.all(
      Array.from({ length: admins }, async () => await server.addUser(organizationId, ["admin"])),
    );
  };

  it("an admin makes a user, who may do all but act for others unless it is said", async () => {
    const { user } = await users().createUser({ name: "Grace" });
    expect(user).toMatchObject({
      organizationId: server.admin.organizationId,
      name: "Grace",
      abilities: MEMBER_PERMISSIONS,
      roles: [],
      disabled: false,
    });
    const few = await users().createUser({
      name: "Few",
      abilities: { names: ["jobs:view", "jobs:view"] },
      roles: { names: ["job-write", "job-read"] },
    });
    expect(few.user).toMatchObject({ abilities: ["jobs:view"], roles: ["job-read", "job-write"] });
    const none = await users().createUser({ name: "None", abilities: {} });
    expect(none.user?.abilities).toEqual([]);
    const userId = few.user?.id ?? "";
    expect((await users().getUser({ userId })).user).toEqual(few.user);
  });

  it("a name is unique within an organization, and free in another", async () => {
    await users().createUser({ name: "Ada" });
    expect(await refusalOf(users().createUser({ name: "Ada" }))).toMatchObject({
      code: "AlreadyExists",
      reason: "USER_ALREADY_EXISTS",
    });
    const { user } = await users().createUser({ name: "Bob" });
    const renamed = users().updateUser({ userId: user?.id ?? "", name: "Ada" });
    expect(await refusalOf(renamed)).toMatchObject({ reason: "USER_ALREADY_EXISTS" });
    const [stranger] = await fresh();
    expect((await users(stranger?.token).createUser({ name: "Ada" })).user?.name).toBe("Ada");
  });

  it("an operator names the organization, and works in any", async () => {
    const organizationId = await server.addOrganization();
    const operator = users(server.operatorToken);
    const { user } = await operator.createUser({
      organizationId,
      name: "first",
      roles: { names: ["admin"] },
    });
    expect((await operator.listUsers({ organizationId })).users).toEqual([user]);
    expect(await refusalOf(operator.createUser({ name: "second" }))).toMatchObject({
      fields: ["organization_id"],
    });
    expect(await refusalOf(operator.getUser({ organizationId }))).toMatchObject({
      fields: ["user_id"],
    });
  });

  it("a change touches only what it names", async () => {
    const { user } = await users().createUser({ name: "Carl", roles: { names: ["job-read"] } });
    const userId = user?.id ?? "";
    await users().updateUser({ userId, abilities: { names: ["jobs:run-as"] } });
    await users().updateUser({ userId, name: "Carla" });
    expect((await users().getUser({ userId })).user).toMatchObject({
      name: "Carla",
      abilities: ["jobs:run-as"],
      roles: ["job-read"],
      disabled: false,
    });
    await users().updateUser({ userId, roles: {} });
    expect((await users().getUser({ userId })).user?.roles).toEqual([]);
  });

  it("what a user may not do any more is refused at once, and so is everything once he is disabled", async () => {
    const user = await server.addUser(server.admin.organizationId, MEMBER_PERMISSIONS);
    const jobs = server.jobsOf(user);
    const { userId } = user;
    await jobs.listJobs({});
    await users().updateUser({ userId, abilities: { names: ["jobs:create"] } });
    expect(await refusalOf(jobs.listJobs({}))).toMatchObject({ reason: "PERMISSION_DENIED" });
    await users().updateUser({ userId, disabled: true });
    expect(await refusalOf(jobs.listJobs({}))).toMatchObject({ reason: "UNAUTHENTICATED" });
    await users().updateUser({
      userId,
      disabled: false,
      abilities: { names: [...MEMBER_PERMISSIONS] },
    });
    expect((await jobs.listJobs({})).jobs).toEqual([]);
  });

  it("an admin cannot shut himself out, nor leave his organization without an admin", async () => {
    const [first, second] = await fresh(2);
    if (first === undefined || second === undefined) throw new Error("no admins");
    const own = users(first.token);
    const { userId } = first;
    expect(await refusalOf(own.updateUser({ userId, disabled: true }))).toMatchObject({
      reason: "INVALID_ARGUMENT",
      fields: ["disabled"],
    });
    await own.updateUser({ userId: second.userId, disabled: true });
    expect(await refusalOf(own.updateUser({ userId, roles: {} }))).toMatchObject({
      code: "FailedPrecondition",
      reason: "LAST_ADMIN",
    });
    await own.updateUser({ userId: second.userId, disabled: false });
    expect((await own.updateUser({ userId, roles: {} })).user?.roles).toEqual([]);
    expect(await refusalOf(own.listUsers({}))).toMatchObject({ reason: "PERMISSION_DENIED" });
    const operator = users(server.operatorToken);
    const { organizationId } = second;
    const gone = await operator.updateUser({ organizationId, userId: second.userId, roles: {} });
    expect(gone.user?.roles).toEqual([]);
  });

  it("of two admins who dismiss each other at once one stays", async () => {
    const [first, second] = await fresh(2);
    if (first === undefined || second === undefined) throw new Error("no admins");
    const dismiss = async (by: TestUser, whom: TestUser) =>
      await users(by.token).updateUser({ userId: whom.userId, roles: {} });
    const outcomes = await Promise.allSettled([dismiss(first, second), dismiss(second, first)]);
    expect(outcomes.filter(({ status }) => status === "fulfilled")).toHaveLength(1);
  });

  it("they are listed by id, page by page, and no page token is good for another list", async () => {
    const [admin] = await fresh(5);
    const own = users(admin?.token);
    const seen: string[] = [];
    let pageToken = "";
    do {
      const page = await own.listUsers({ pageSize: 2, pageToken });
      seen.push(...page.users.map(({ id }) => id));
      pageToken = page.nextPageToken;
    } while (pageToken !== "");
    expect(seen).toHaveLength(5);
    expect(seen).toEqual(seen.toSorted());
    const { nextPageToken } = await own.listUsers({ pageSize: 1 });
    expect(await refusalOf(users().listUsers({ pageToken: nextPageToken }))).toMatchObject({
      fields: ["page_token"],
    });
    const jobs = server.jobsOf({ token: admin?.token ?? "" });
    expect(await refusalOf(jobs.listJobs({ pageToken: nextPageToken }))).toMatchObject({
      fields: ["page_token"],
    });
  });

  it("a user who is no admin knows of nobody but himself", async () => {
    const own = users(member.token);
    expect((await own.getUser({})).user?.id).toBe(member.userId);
    expect((await own.getUser({ userId: member.userId })).user?.id).toBe(member.userId);
    const answer = async (userId: string): Promise<string> =>
      JSON.stringify(await refusalOf(own.getUser({ userId }))).replaceAll(userId, "<id>");
    const absent = systemRandom.uuid();
    expect(await answer(server.admin.userId)).toBe(await answer(absent));
    for (const call of [
      own.listUsers({}),
      own.createUser({ name: "x" }),
      own.updateUser({ userId: member.userId, roles: { names: ["admin"] } }),
      own.setUserAttribute({ userId: member.userId, name: "a", value: "b" }),
      own.removeUserAttribute({ userId: member.userId, name: "a", value: "b" }),
      own.listUserAttributes({ userId: member.userId }),
    ]) {
      expect(await refusalOf(call)).toMatchObject({ reason: "PERMISSION_DENIED" });
    }
  });

  it("another organization's users are as if they were not there, for every method", async () => {
    const [stranger] = await fresh();
    if (stranger === undefined) throw new Error("no stranger");
    const absent = systemRandom.uuid();
    const answers = async (userId: string, organizationId: string): Promise<string> => {
      const request = { userId, organizationId };
      const attribute = { ...request, name: "a", value: "b" };
      const refusals = await Promise.all([
        refusalOf(users().getUser(request)),
        refusalOf(users().updateUser({ ...request, name: "x" })),
        refusalOf(users().listUserAttributes(request)),
        refusalOf(users().setUserAttribute(attribute)),
        refusalOf(users().removeUserAttribute(attribute)),
      ]);
      return JSON.stringify(refusals)
        .replaceAll(userId, "<user>")
        .replaceAll(organizationId === "" ? "-" : organizationId, "<organization>");
    };
    expect(await answers(stranger.userId, "")).toContain("USER_NOT_FOUND");
    expect(await answers(stranger.userId, "")).toBe(await answers(absent, ""));
    const theirs = await answers(stranger.userId, stranger.organizationId);
    expect(theirs).toContain("ORGANIZATION_NOT_FOUND");
    expect(theirs).toBe(await answers(absent, systemRandom.uuid()));
  });

  it("bad names, abilities and roles are refused, with all of their fields", async () => {
    const abilities = { names: ["jobs:view", "admin"] };
    const roles = { names: ["jobs:view"] };
    const fields = ["name", "abilities.names[1]", "roles.names[0]"];
    const created = users().createUser({ name: "", abilities, roles });
    expect(await refusalOf(created)).toMatchObject({ reason: "INVALID_ARGUMENT", fields });
    const { userId } = member;
    const updated = users().updateUser({ userId, name: " x", abilities, roles });
    expect(await refusalOf(updated)).toMatchObject({ fields });
    for (const name of ["two\nlines", "two\u2028lines"]) {
      await expect(users().createUser({ name })).rejects.toThrow("control characters");
    }
    const many = { names: Array.from({ length: 51 }, () => "jobs:view") };
    expect(await refusalOf(users().createUser({ name: "x", abilities: many }))).toMatchObject({
      fields: ["abilities.names"],
    });
    for (const call of [users().updateUser({ name: "x" }), users().listUserAttributes({})]) {
      expect(await refusalOf(call)).toMatchObject({ fields: ["user_id"] });
    }
  });
});

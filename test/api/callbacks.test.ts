import { timestampMs } from "@bufbuild/protobuf/wkt";
import { Webhook } from "standardwebhooks";
import { afterAll, beforeAll, describe, expect, it } from "vitest";

import {
  type Delivery,
  DeliveryState,
  HookService,
} from "../../src/gen/millrace/v1/hook_service_pb.ts";
import { CallbackState, type Job } from "../../src/gen/millrace/v1/job_pb.ts";
import { systemClock } from "../../src/runtime/clock.ts";
import { ENGINES } from "../support/databases.ts";
import { eventually } from "../support/eventually.ts";
import { createHandRunner, type HandRunner } from "../support/hand-runner.ts";
import { type Heard, startReceiver, type TestReceiver } from "../support/receiver.ts";
import { refusalOf } from "../support/refusal.ts";
import type { TestServer, TestUser } from "../support/server.ts";
import { startServerOn } from "../support/server-on.ts";

const type = { case: "type" as const, value: "report" };
const SECOND = 1_000;

const required = <T>(value: T | undefined): T => {
  if (value === undefined) throw new Error("an answer lacks what it is about");
  return value;
};

/** As a receiver would: true if the secret signed it. */
const isSignedWith = (secret: string, { body, headers }: Heard): boolean => {
  try {
    new Webhook(secret).verify(body, headers as Record<string, string>);
    return true;
  } catch {
    return false;
  }
};

describe.each(ENGINES)("callbacks on %s", (engine) => {
  let server: TestServer;
  let receiver: TestReceiver;
  let runner: HandRunner;
  const hooks = (user: Pick<TestUser, "token"> = server.admin) =>
    server.clientOf(HookService, user.token);

  beforeAll(async () => {
    server = await startServerOn(engine, {
      environment: { MILLRACE_CALLBACK_ALLOW: "127.0.0.1" },
      handlers: ["report"],
    });
    receiver = await startReceiver();
    runner = createHandRunner(server, { capabilities: ["handler:report"] });
  });
  afterAll(async () => {
    await receiver.close();
    await server.stop();
  });

  /** A job that has ended, with a callback under that path. */
  const ended = async (
    path: string,
    how: "succeeds" | "fails" = "succeeds",
    by: Pick<TestUser, "token"> = server.admin,
    at = receiver.url,
  ): Promise<Job> => {
    const spec = { work: type, callback: { url: at + path } };
    const job = required((await server.jobsOf(by).submitJob({ spec })).job);
    expect(job.callbackState).toBe(CallbackState.PENDING);
    const assignment = await runner.take();
    if (how === "succeeds") await runner.succeed(assignment, '{"a":[1,2]}');
    else await runner.fail(assignment, "on purpose");
    return job;
  };
  const callbackStateOf = async ({ id }: Job): Promise<CallbackState> =>
    required((await server.jobs.getJob({ jobId: id })).job).callbackState;
  const deliveriesOf = async ({ id }: Job): Promise<Delivery[]> =>
    (await hooks().listDeliveries({ of: { case: "jobId", value: id } })).deliveries;
  /** The one delivery of the job, when it has been tried so often. */
  const tried = async (job: Job, tries: number): Promise<Delivery> =>
    await eventually(async () => {
      const [delivery] = await deliveriesOf(job);
      expect(delivery?.tryCount).toBe(tries);
      return required(delivery);
    });
  const waitOf = ({ nextTryTime }: Delivery): number =>
    timestampMs(required(nextTryTime)) - systemClock.now();

  it("tell the end of a job, signed, with its result", async () => {
    const job = await ended("/result");
    const heard = required((await receiver.until("/result", 1))[0]);
    expect(JSON.parse(heard.body)).toMatchObject({
      type: "job.succeeded",
      data: { id: job.id, state: "JOB_STATE_SUCCEEDED", attempt: 1, result: { a: [1, 2] } },
    });
    const { secrets } = await hooks().getSigningSecrets({});
    expect(secrets.map(({ secret }) => isSignedWith(secret, heard))).toEqual([true]);
    const delivery = await tried(job, 1);
    expect(delivery).toMatchObject({ id: heard.id, state: DeliveryState.DELIVERED, hookId: "" });
    expect(await callbackStateOf(job)).toBe(CallbackState.DELIVERED);
  });

  it("that fail are tried again later, each try is kept, and one can be ordered by hand", async () => {
    receiver.answer("/flaky", (_, count) => ({ status: count === 1 ? 500 : 200 }));
    const job = await ended("/flaky", "fails");
    const failed = await tried(job, 1);
    expect(failed).toMatchObject({
      state: DeliveryState.PENDING,
      event: "job.failed",
      lastError: "The receiver answered 500.",
    });
    expect(waitOf(failed)).toBeLessThanOrEqual(6 * SECOND);
    expect(await callbackStateOf(job)).toBe(CallbackState.PENDING);

    await hooks().redeliverDelivery({ deliveryId: failed.id });
    const delivered = await tried(job, 2);
    expect(delivered).toMatchObject({ state: DeliveryState.DELIVERED, lastError: "" });
    expect(await callbackStateOf(job)).toBe(CallbackState.DELIVERED);
    const both = await receiver.until("/flaky", 2);
    expect(both.map(({ id }) => id)).toEqual([failed.id, failed.id]);
    expect(both[0]?.body).toBe(both[1]?.body);
    const { tries, payload } = await hooks().getDelivery({ deliveryId: failed.id });
    expect(tries.map(({ try: number, status }) => [number, status])).toEqual([
      [1, 500],
      [2, 200],
    ]);
    expect(payload).toMatchObject({
      type: "job.failed",
      data: { error: { code: "script.threw" } },
    });
  });

  it("end at 410, do not follow redirects, and wait as long as they are asked to", async () => {
    const replies = {
      "/gone": { status: 410 },
      "/moved": { status: 302, headers: { location: `${receiver.url}/elsewhere` } },
      "/busy": { status: 429, headers: { "retry-after": "1800" } },
      "/greedy": { status: 503, headers: { "retry-after": "Fri, 31 Dec 2100 23:59:59 GMT" } },
      "/reset": "hang up",
    } as const;
    for (const [path, reply] of Object.entries(replies)) receiver.answer(path, () => reply);
    const jobs = new Map<string, Job>();
    for (const path of Object.keys(replies)) jobs.set(path, await ended(path));
    const of = async (path: keyof typeof replies): Promise<Delivery> =>
      await tried(required(jobs.get(path)), 1);

    expect(await of("/gone")).toMatchObject({ state: DeliveryState.FAILED });
    expect(await callbackStateOf(required(jobs.get("/gone")))).toBe(CallbackState.FAILED);
    expect((await of("/moved")).lastError).toBe("The receiver redirects (302): not followed.");
    expect(receiver.heard.filter(({ path }) => path === "/elsewhere")).toEqual([]);
    expect(waitOf(await of("/busy"))).toBeGreaterThan(1_700 * SECOND);
    expect(waitOf(await of("/greedy"))).toBeGreaterThan(23 * 3_600 * SECOND);
    expect(waitOf(await of("/greedy"))).toBeLessThanOrEqual(24 * 3_600 * SECOND);
    expect((await of("/reset")).lastError).toMatch(/^The exchange with 127\.0\.0\.1:\d+ failed: /);
  });

  it("are signed by the old secret too, until its overlap has passed", async () => {
    const first = required((await hooks().getSigningSecrets({})).secrets[0]).secret;
    const { secret: second } = await hooks().rotateSigningSecret({});
    const both = required((await hooks().getSigningSecrets({})).secrets);
    expect(both.map(({ secret }) => secret)).toEqual([second?.secret, first]);
    expect(both[0]?.expireTime).toBeUndefined();

    await ended("/rotated");
    const heard = required((await receiver.until("/rotated", 1))[0]);
    expect(isSignedWith(first, heard)).toBe(true);
    expect(isSignedWith(required(second).secret, heard)).toBe(true);

    const { secret: third } = await hooks().rotateSigningSecret({ overlap: {} });
    await ended("/rotated");
    const last = required((await receiver.until("/rotated", 2))[1]);
    expect(
      [first, second?.secret, third?.secret].map((one) => isSignedWith(required(one), last)),
    ).toEqual([false, false, true]);
  });

  it("of a job that was retried by hand are owed for each end, each with an id of its own", async () => {
    const job = await ended("/again", "fails");
    await receiver.until("/again", 1);
    await tried(job, 1);
    await server.jobs.retryJob({ jobId: job.id });
    expect(await callbackStateOf(job)).toBe(CallbackState.PENDING);
    await runner.succeed(await runner.take());
    const heard = await receiver.until("/again", 2);
    expect(heard.map(({ body }) => (JSON.parse(body) as { type: string }).type)).toEqual([
      "job.failed",
      "job.succeeded",
    ]);
    expect(new Set(heard.map(({ id }) => id)).size).toBe(2);
    await eventually(async () => {
      expect(await callbackStateOf(job)).toBe(CallbackState.DELIVERED);
    });
  });

  it("to receivers that are dead or silent delay none to others", async () => {
    const silent = await startReceiver();
    silent.answer("/", () => "silence");
    const dead = receiver.url.replace(/\d+$/, "1");
    for (const url of [dead, silent.url, dead, silent.url, silent.url, silent.url, silent.url]) {
      await ended("/", "succeeds", server.admin, url);
    }
    const lively = await ended("/lively");
    await receiver.until("/lively", 1);
    expect(await tried(lively, 1)).toMatchObject({ state: DeliveryState.DELIVERED });
    // So many at once go to one of them.
    expect((await silent.until("/", 4)).length).toBe(4);
    await silent.close();
  });

  it("are shown to who may see the job, page by page", async () => {
    const mine = await server.addUser(server.admin.organizationId, ["jobs:create", "jobs:view"]);
    const job = await ended("/mine", "succeeds", mine);
    await tried(job, 1);
    const [delivery] = await deliveriesOf(job);
    const deliveryId = required(delivery).id;
    const seen = await hooks(mine).getDelivery({ deliveryId });
    expect(seen.delivery?.jobId).toBe(job.id);
    expect(await refusalOf(hooks(mine).redeliverDelivery({ deliveryId }))).toMatchObject({
      reason: "PERMISSION_DENIED",
    });
    const of = { case: "jobId" as const, value: job.id };
    const failures = hooks(mine).listDeliveries({ of, states: [DeliveryState.FAILED] });
    expect((await failures).deliveries).toEqual([]);
    const wrong = hooks().listDeliveries({ of, states: [9 as DeliveryState], pageSize: 1_001 });
    expect((await refusalOf(wrong)).fields).toEqual(["page_size", "states[0]"]);
    const many = Array.from({ length: 70_000 }, () => DeliveryState.FAILED);
    const tooMany = await refusalOf(hooks().listDeliveries({ of, states: many }));
    expect(tooMany).toMatchObject({ reason: "INVALID_ARGUMENT", fields: ["states"] });
  });
});

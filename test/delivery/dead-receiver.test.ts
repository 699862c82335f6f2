import { afterEach, describe, expect, it } from "vitest";

import type { OrganizationId } from "../../src/jobs/ids.ts";
import { type Reply, type Sending, startSending } from "../support/sending.ts";

const [ALPHA, BETA] = ["alpha", "beta"] as OrganizationId[] as [OrganizationId, OrganizationId];
const MINUTE = 60_000;
const SILENCE: Reply = { after: 15_000, status: 0 };
const FINE: Reply = { after: 20, status: 204 };
const never = (): boolean => false;

describe("a receiver that does not answer", () => {
  let sending: Sending;
  afterEach(async () => {
    await sending.stop();
  });

  it("is asked by one notice a minute, and all that wait for it keep to their schedule", async () => {
    const url = "https://dead.example/in";
    let reply = SILENCE;
    sending = await startSending([ALPHA], () => reply);
    const jobs = await sending.owe(ALPHA, url, 250);
    await sending.run(never, 5 * MINUTE);
    expect(sending.asked.length).toBeLessThan(16);
    const tries = async (): Promise<number[]> =>
      await Promise.all(jobs.map(async (id) => (await sending.deliveryOf(ALPHA, id)).tries));
    expect(Math.min(...(await tries()))).toBeGreaterThanOrEqual(2);
    expect(Math.max(...(await tries()))).toBeLessThanOrEqual(3);
    const { lastError, state } = await sending.deliveryOf(ALPHA, jobs.at(-1));
    expect(state).toBe("PENDING");
    expect(lastError).toMatch(/^Not sent: https:\/\/dead\.example did not answer/);

    // It lives again: whatever is due is sent, and what is new at once.
    reply = FINE;
    await sending.run(never, 7 * MINUTE);
    const states = jobs.map(async (id) => (await sending.deliveryOf(ALPHA, id)).state);
    expect(new Set(await Promise.all(states))).toEqual(new Set(["DELIVERED"]));
    const before = sending.asked.length;
    await sending.owe(ALPHA, url, 1);
    expect(await sending.run(() => sending.asked.length > before, 1_000)).toBe(true);
  });

  it("has what waits for less than a minute sent to it as soon as it answers", async () => {
    let reply = SILENCE;
    sending = await startSending([ALPHA], () => reply);
    const jobs = await sending.owe(ALPHA, "https://slow.example/in", 50);
    await sending.run(never, 20_000);
    reply = FINE;
    await sending.run(never, 30_000);
    const rows = await Promise.all(jobs.map(async (id) => await sending.deliveryOf(ALPHA, id)));
    // But those that were sent in vain, whose next try is in minutes.
    const untried = rows.filter(({ tries, state }) => tries === 1 && state === "DELIVERED");
    expect(untried.length).toBeGreaterThan(40);
  });

  it("is asked at once when somebody orders it", async () => {
    let reply: Reply = { after: 10, status: 0 };
    sending = await startSending([ALPHA], () => reply);
    const [job] = await sending.owe(ALPHA, "https://dead.example/in", 1);
    await sending.owe(ALPHA, "https://dead.example/in", 30);
    await sending.run(never, 50_000);
    reply = FINE;
    const before = sending.asked.length;
    await sending.redeliver(await sending.deliveryOf(ALPHA, job));
    expect(await sending.run(() => sending.asked.length > before + 3, 1_000)).toBe(true);
  });

  it("to one organization is no less there for another", async () => {
    const [slow, quick] = ["https://shared.example/slow", "https://shared.example/quick"];
    sending = await startSending([ALPHA, BETA], (url) => (url === slow ? SILENCE : FINE));
    await sending.owe(ALPHA, slow, 40);
    const jobs = await sending.owe(BETA, quick, 40);
    const isThrough = (): boolean =>
      sending.asked.filter((url) => url === quick).length === jobs.length;
    // The first four of the other may hold all places.
    expect(await sending.run(isThrough, 18_000)).toBe(true);
    // From then on there is always a place.
    await sending.owe(ALPHA, slow, 40);
    await sending.owe(BETA, quick, 40);
    const isDone = (): boolean => sending.asked.filter((url) => url === quick).length === 80;
    expect(await sending.run(isDone, 4_000)).toBe(true);
  });
});

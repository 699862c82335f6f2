import { Webhook } from "standardwebhooks";
import { afterAll, beforeAll, expect, test } from "vitest";

import { type DevHere, startDevHere } from "../support/dev-here.ts";
import { startReceiver, type TestReceiver } from "../support/receiver.ts";

let dev: DevHere;
let receiver: TestReceiver;

beforeAll(async () => {
  dev = await startDevHere();
  receiver = await startReceiver();
});

afterAll(async () => {
  await receiver.close();
  await dev.stop();
});

const run = async (...args: readonly string[]): Promise<string> => {
  const { code, stdout, stderr } = await dev.cli(args);
  expect({ code, stderr }).toMatchObject({ code: 0 });
  return stdout.trim();
};

test("a callback is sent to this machine, shown with its tries, verified, and sent again", async () => {
  const script = "examples/scripts/hello.ts";
  const job = await run("job", "submit", "--script", script, "--callback", `${receiver.url}/cli`);
  expect(await run("job", "get", job)).toMatch(/\ncallback +PENDING|\ncallback +DELIVERED/);
  const heard = await receiver.until("/cli", 1);
  const secret = await run("signing-secret", "get");
  const [first] = heard;
  new Webhook(secret).verify(first?.body ?? "", first?.headers as Record<string, string>);

  const listed = await run("delivery", "list", "--job", job);
  expect(listed).toMatch(/^DELIVERY +STATE +EVENT +TRIES/);
  const id = first?.id ?? "";
  expect(listed).toContain(id);
  expect(await run("delivery", "redeliver", id)).toBe(`Delivery ${id} is sent again.`);
  await receiver.until("/cli", 2);
  expect(await run("delivery", "get", id)).toMatch(/\ntries\n +1 .* 204/);

  const rotated = await run("signing-secret", "rotate", "--overlap", "1h");
  expect((await run("signing-secret", "get")).split("\n")).toEqual([
    rotated,
    expect.stringMatching(/^whsec_\S+ {2}signs until \d{4}-/),
  ]);
  expect(await dev.cli(["delivery", "list"])).toMatchObject({ code: 2 });
});

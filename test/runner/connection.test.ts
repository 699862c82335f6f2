import { once } from "node:events";
import { type AddressInfo, createServer, type Socket } from "node:net";

import { expect, it } from "vitest";

import { connect } from "../../runner/connection.ts";
import { systemClock } from "../../src/runtime/clock.ts";

it("survives that a frozen server is called again the moment its calls are given up", async () => {
  // The kernel still accepts connections for a frozen process, and nobody answers on them.
  const frozen = createServer().listen(0, "127.0.0.1");
  await once(frozen, "listening");
  const { port } = frozen.address() as AddressInfo;
  const url = `http://127.0.0.1:${port}`;
  const connection = connect(url, "token", systemClock, { pingIntervalMs: 50, pingTimeoutMs: 50 });
  try {
    const arrived = once(frozen, "connection") as Promise<[Socket]>;
    const given = Array.fromAsync(connection.runner.sync({}));
    const [socket] = await arrived;
    const gone = once(socket.resume(), "close");
    await expect(given).rejects.toThrow("PING timed out");
    // An error that nobody hears would end the process here.
    await expect(Array.fromAsync(connection.runner.sync({}))).rejects.toThrow("PING timed out");
    await gone;
  } finally {
    connection.close();
    frozen.close();
  }
});

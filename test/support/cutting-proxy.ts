import { once } from "node:events";
import { type AddressInfo, connect, createServer, type Socket } from "node:net";

/** Passes bytes on to a server, and can cut every connection at once, as a bad network does. */
export type CuttingProxy = {
  readonly url: string;
  /** Resolves when somebody has connected since the last cut. */
  connected(): Promise<void>;
  cut(): void;
  /** Cuts once the server has said so many more bytes, in the middle of whatever it says. */
  cutAfter(bytes: number): void;
  close(): Promise<void>;
};

export const startCuttingProxy = async (target: string): Promise<CuttingProxy> => {
  const { hostname, port } = new URL(target);
  const sockets = new Set<Socket>();
  let left = Number.POSITIVE_INFINITY;
  const cut = (): void => {
    left = Number.POSITIVE_INFINITY;
    for (const socket of sockets) socket.resetAndDestroy();
  };
  const server = createServer((near) => {
    const far = connect(Number(port), hostname);
    for (const [from, to] of [
      [near, far],
      [far, near],
    ] as const) {
      sockets.add(from);
      from.on("close", () => {
        sockets.delete(from);
        to.destroy();
      });
      // Whatever breaks on one side is told to the other by its end.
      from.on("error", () => to.destroy());
    }
    near.pipe(far);
    far.on("data", (chunk: Buffer) => {
      near.write(chunk.subarray(0, Math.max(0, left)), () => {
        if (left <= 0) cut();
      });
      left -= chunk.length;
    });
  });
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  const address = server.address() as AddressInfo;
  return {
    url: `http://127.0.0.1:${address.port}`,
    connected: async () => {
      if (sockets.size === 0) await once(server, "connection");
    },
    cut,
    cutAfter: (bytes) => {
      left = bytes;
    },
    close: async () => {
      server.close();
      cut();
      await once(server, "close");
    },
  };
};

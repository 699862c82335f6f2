import { once } from "node:events";
import { type AddressInfo, connect, createServer, type Socket } from "node:net";

/** Passes bytes on to a server, and can cut every connection at once, as a bad network does. */
export type CuttingProxy = {
  readonly url: string;
  /** Resolves when somebody has connected since the last cut. */
  connected(): Promise<void>;
  cut(): void;
  close(): Promise<void>;
};

export const startCuttingProxy = async (target: string): Promise<CuttingProxy> => {
  const { hostname, port } = new URL(target);
  const sockets = new Set<Socket>();
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
      from.pipe(to);
    }
  });
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  const address = server.address() as AddressInfo;
  const cut = (): void => {
    for (const socket of sockets) socket.resetAndDestroy();
  };
  return {
    url: `http://127.0.0.1:${address.port}`,
    connected: async () => {
      if (sockets.size === 0) await once(server, "connection");
    },
    cut,
    close: async () => {
      server.close();
      cut();
      await once(server, "close");
    },
  };
};

import { once } from "node:events";
import { type AddressInfo, createServer, type Socket } from "node:net";

/** Takes connections and never answers; `heard` aborts with the first that comes. */
export const silentServer = async () => {
  const heard = new AbortController();
  const sockets: Socket[] = [];
  const server = createServer((socket) => {
    sockets.push(socket);
    socket.on("error", () => {});
    heard.abort(new Error("it says nothing"));
  });
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  const { port } = server.address() as AddressInfo;
  return {
    url: `http://127.0.0.1:${port}`,
    heard: heard.signal,
    stop: () => {
      server.close();
      for (const socket of sockets) socket.destroy();
    },
  };
};

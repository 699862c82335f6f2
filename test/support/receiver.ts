import { createServer, type IncomingHttpHeaders } from "node:http";
import type { AddressInfo } from "node:net";
import { text } from "node:stream/consumers";

/** One POST that arrived. */
export type Heard = {
  readonly path: string;
  /** The `webhook-id`. */
  readonly id: string;
  readonly headers: IncomingHttpHeaders;
  readonly body: string;
};

/** What the receiver answers with. `silence`: nothing, until it is closed. */
export type Reply =
  | {
      readonly status: number;
      readonly headers?: Readonly<Record<string, string>>;
      /** It answers when this has come. */
      readonly after?: Promise<void>;
    }
  | "silence"
  | "hang up";

export type TestReceiver = {
  readonly url: string;
  readonly heard: readonly Heard[];
  /** Resolves when so many have arrived under that path. */
  until(path: string, count: number): Promise<readonly Heard[]>;
  /** How it answers under that path from now on; with 204, if nothing was said. */
  answer(path: string, reply: (heard: Heard, count: number) => Reply): void;
  close(): Promise<void>;
};

/** A receiver of notices on the loopback address. */
export const startReceiver = async (): Promise<TestReceiver> => {
  const heard: Heard[] = [];
  const replies = new Map<string, (heard: Heard, count: number) => Reply>();
  let waiting: (() => void)[] = [];
  const at = (path: string): Heard[] => heard.filter((one) => one.path === path);

  const server = createServer((request, response) => {
    void text(request).then((body) => {
      const path = request.url ?? "";
      const { headers } = request;
      const one = { path, id: String(headers["webhook-id"]), headers, body };
      heard.push(one);
      for (const look of waiting.splice(0)) look();
      const reply = replies.get(path)?.(one, at(path).length) ?? { status: 204 };
      if (reply === "hang up") response.destroy();
      else if (reply !== "silence") {
        const say = () => response.writeHead(reply.status, reply.headers).end();
        if (reply.after === undefined) say();
        else void reply.after.then(say);
      }
    });
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    heard,
    until: async (path, count) => {
      while (at(path).length < count) {
        await new Promise<void>((resolve) => {
          waiting = [...waiting, resolve];
        });
      }
      return at(path);
    },
    answer: (path, reply) => {
      replies.set(path, reply);
    },
    close: async () => {
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
    },
  };
};

/** A collector: OTLP over HTTP, protobuf or JSON, and over gRPC. */
import { once } from "node:events";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { buffer } from "node:stream/consumers";

import { Server, ServerCredentials, type ServiceDefinition } from "@grpc/grpc-js";

import { CONTRACT, createSunk, type Message, SERVICES, type Sunk } from "./otlp-contract.ts";

export type { SunkSpan } from "./otlp-contract.ts";

/** `refuse` answers 503, which is tried again; `hang` answers nobody until it behaves otherwise. */
export type Manner = "take" | "refuse" | "hang";

export type OtlpSink = Sunk & {
  readonly endpoint: string;
  /** What came as JSON, by its path. */
  readonly json: ReadonlyMap<string, string>;
  /** Requests that came. */
  asked(): number;
  behave(manner: Manner): void;
  close(): Promise<void>;
};

type Path = keyof typeof SERVICES;

const serviceAt = (path: Path): ServiceDefinition => CONTRACT[SERVICES[path]] as ServiceDefinition;

const decode = (path: Path, body: Buffer): Message =>
  serviceAt(path)["Export"]?.requestDeserialize(body) as Message;

export const startOtlpSink = async (): Promise<OtlpSink> => {
  const sunk = createSunk();
  const json = new Map<string, string>();
  let manner: Manner = "take";
  let asked = 0;
  let changed = Promise.withResolvers<void>();
  const server = createServer((request, response) => {
    void buffer(request).then(async (body) => {
      asked += 1;
      while (manner === "hang") await changed.promise;
      const type = request.headers["content-type"];
      if (manner === "refuse") response.statusCode = 503;
      else if (!((request.url ?? "") in SERVICES)) response.statusCode = 404;
      else if (type === "application/x-protobuf") {
        sunk.take(decode(request.url as Path, body));
      } else if (type === "application/json") json.set(request.url ?? "", body.toString());
      else response.statusCode = 415;
      response.end();
    });
  });
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  return {
    ...sunk,
    endpoint: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    json,
    asked: () => asked,
    behave: (wanted) => {
      manner = wanted;
      changed.resolve();
      changed = Promise.withResolvers<void>();
    },
    close: async () => {
      server.closeAllConnections();
      server.close();
      await once(server, "close");
    },
  };
};

/** The same by gRPC, which always takes. */
export const startGrpcSink = async (): Promise<
  Pick<OtlpSink, keyof Sunk | "endpoint" | "close">
> => {
  const sunk = createSunk();
  const server = new Server();
  for (const path of Object.keys(SERVICES) as Path[]) {
    server.addService(serviceAt(path), {
      Export: (
        { request }: { readonly request: Message },
        answer: (error: null, response: object) => void,
      ) => {
        sunk.take(request);
        answer(null, {});
      },
    });
  }
  const port = await new Promise<number>((resolve, reject) => {
    server.bindAsync("127.0.0.1:0", ServerCredentials.createInsecure(), (error, bound) => {
      if (error === null) resolve(bound);
      else reject(error);
    });
  });
  return {
    ...sunk,
    endpoint: `http://127.0.0.1:${port}`,
    close: async () => {
      server.forceShutdown();
      await Promise.resolve();
    },
  };
};

import type { IncomingMessage, RequestListener, ServerResponse } from "node:http";

import type { DescService } from "@bufbuild/protobuf";
import {
  Code,
  ConnectError,
  type ConnectRouter,
  createConnectRouter,
  createContextValues,
} from "@connectrpc/connect";
import {
  compressionBrotli,
  compressionGzip,
  universalRequestFromNodeRequest,
  universalResponseToNodeResponse,
} from "@connectrpc/connect-node";

import type { AddressOf } from "./address.ts";
import type { Identity } from "../identity/identity.ts";
import { MIB } from "../jobs/limits.ts";
import { type CallObserver, observeCalls, observeRefusal } from "./calls.ts";
import { addressKey } from "./caller-context.ts";
import { DETAILS } from "./errors.ts";
import { createGate } from "./gate.ts";
import { endWithToken } from "./held-calls.ts";

/** A batch of 1,000 submissions, or of 1,000 reports, has room. */
const READ_MAX_BYTES = 16 * MIB;
/** Below it compression costs more than it saves. */
const COMPRESS_MIN_BYTES = 16 * 1_024;

export type RpcOptions = {
  readonly addressOf: AddressOf;
  readonly observer: CallObserver;
  readonly identity: Identity;
  /** Ends the streams when the server stops. */
  readonly shutdown: AbortSignal;
  readonly routes: (router: ConnectRouter) => void;
  /** For every path that is no method. */
  readonly fallback: RequestListener;
};

/** The services that a router serves so far. */
export const servicesOf = (router: ConnectRouter): DescService[] => [
  ...new Set(router.handlers.map(({ service }) => service)),
];

const refuse = (response: ServerResponse, status: number, message: string): void => {
  response.writeHead(status, { "content-type": "text/plain; charset=utf-8" });
  response.end(`${message}\n`);
};

/** True for what a client does to its own connection. */
const isTheirs = (error: ConnectError): boolean =>
  error.code === Code.Aborted || error.code === Code.Canceled;

/**
 * gRPC, gRPC-Web and Connect on node:http. `routes` must never hand options to `router.service`:
 * they would replace the gate and the interceptors given here.
 */
export const createRpcHandler = (options: RpcOptions): RequestListener => {
  const { observer } = options;
  const gate = createGate(options.identity.authenticator);
  const router = createConnectRouter({
    acceptCompression: [compressionGzip, compressionBrotli],
    compressMinBytes: COMPRESS_MIN_BYTES,
    readMaxBytes: READ_MAX_BYTES,
    jsonOptions: { registry: DETAILS },
    shutdownSignal: options.shutdown,
    interceptors: [observeCalls(observer), endWithToken(options.identity.calls)],
    requestGate: async (context) => {
      try {
        await gate(context);
      } catch (caught) {
        observeRefusal(observer, context, caught);
      }
    },
  });
  options.routes(router);
  const methods = new Map(router.handlers.map((handler) => [handler.requestPath, handler]));

  const answer = async (request: IncomingMessage, response: ServerResponse): Promise<void> => {
    const method = methods.get(request.url?.split("?", 1)[0] ?? "");
    if (method === undefined) {
      options.fallback(request, response);
      return;
    }
    let call: ReturnType<typeof universalRequestFromNodeRequest>;
    try {
      const values = createContextValues().set(addressKey, options.addressOf(request));
      call = universalRequestFromNodeRequest(request, response, undefined, values);
    } catch (cause) {
      // A Host header that is missing or no host: thrown on, it would end the process.
      observer.log.debug({ err: cause }, "a request without a usable authority");
      refuse(response, 400, "The request names no usable host.");
      return;
    }
    await universalResponseToNodeResponse(await method(call), response);
  };

  return (request, response) => {
    answer(request, response).catch((caught: unknown) => {
      const error = ConnectError.from(caught);
      const facts = { err: error, url: request.url };
      if (isTheirs(error)) observer.log.debug(facts, "a caller went away");
      else observer.log.warn(facts, "an answer could not be written");
      response.destroy();
    });
  };
};

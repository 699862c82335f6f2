import type { FetchRequest, FetchResponse } from "../../fetch-wire.ts";
import { take } from "./body.ts";
import { Request, type RequestInit } from "./request.ts";
import { type Response, responseFrom } from "./response.ts";

/** As runner/egress takes it. */
const MOST_BYTES = 1024 * 1024;

let send: (request: FetchRequest) => Promise<FetchResponse>;
let tooLarge: (message: string) => Error;

export const connectFetch = (given: typeof send, refusal: typeof tooLarge): void => {
  send = given;
  tooLarge = refusal;
};

/** The whole answer is there when it resolves. */
export const fetch = async (input: unknown, init?: RequestInit): Promise<Response> => {
  const request = new Request(input, init);
  const { signal } = request;
  signal.throwIfAborted();
  const body = take(request);
  if (body !== null && body.length > MOST_BYTES) {
    throw tooLarge(
      `the request's body has ${body.length} bytes; at most ${MOST_BYTES} are allowed`,
    );
  }
  const sent = send({
    url: request.url,
    method: request.method,
    headers: [...request.headers],
    body: body?.toBase64() ?? null,
    redirect: request.redirect,
  });
  const aborted = Promise.withResolvers<never>();
  const abort = (): void => {
    aborted.reject(signal.reason);
  };
  signal.addEventListener("abort", abort, { once: true });
  try {
    return responseFrom(await Promise.race([sent, aborted.promise]));
  } finally {
    signal.removeEventListener("abort", abort);
  }
};

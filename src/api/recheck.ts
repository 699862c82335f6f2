import type { Interceptor } from "@connectrpc/connect";

import type { Authenticator } from "../identity/authenticator.ts";
import type { Clock } from "../runtime/clock.ts";
import { OPEN_SERVICES } from "./gate.ts";

const RECHECK_MS = 5_000;

async function* whileValid<T>(
  messages: AsyncIterable<T>,
  check: () => Promise<unknown>,
  clock: Clock,
): AsyncGenerator<T> {
  let checkedAt = clock.monotonic();
  for await (const message of messages) {
    if (clock.monotonic() - checkedAt >= RECHECK_MS) {
      await check();
      checkedAt = clock.monotonic();
    }
    yield message;
  }
}

/**
 * A stream outlives the moment in which its token was checked. Before a message, but not more than
 * every 5 s, the token is looked at again; heartbeats see to it that there is one every 15 s. So a
 * token that was revoked or has expired is of use for 20 s at most, whatever it opened before.
 */
export const recheckStreams =
  (authenticator: Authenticator, clock: Clock): Interceptor =>
  (next) =>
  async (request) => {
    const response = await next(request);
    if (!response.stream || OPEN_SERVICES.has(request.service.typeName)) return response;
    const check = async () => await authenticator.authenticate(request.header.get("authorization"));
    return { ...response, message: whileValid(response.message, check, clock) };
  };

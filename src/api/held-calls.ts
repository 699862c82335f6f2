import type { Interceptor, UnaryRequest } from "@connectrpc/connect";

import type { OpenCalls } from "../identity/open-calls.ts";
import type { JobFault } from "../jobs/errors.ts";
import { callerKey } from "./caller-context.ts";

/** Calls with one answer that may wait for minutes. */
const LONG_POLLS: ReadonlySet<string> = new Set([
  "millrace.v1.JobService/RunJob",
  "millrace.v1.JobService/WaitJob",
]);

const isLongPoll = ({ method }: Pick<UnaryRequest, "method">): boolean =>
  LONG_POLLS.has(`${method.parent.typeName}/${method.name}`);

/** Fails whoever waits for something, now or later. */
type Ending = {
  readonly end: (fault: JobFault) => void;
  /** Without `Promise.race`, which would gather a listener for each message of a long stream. */
  orEnd<T>(pending: Promise<T>): Promise<T>;
};

const createEnding = (): Ending => {
  let ended: JobFault | null = null;
  let fail = (_fault: JobFault): void => {};
  return {
    end: (fault) => {
      ended = fault;
      fail(fault);
    },
    orEnd: async (pending) =>
      await new Promise((resolve, reject) => {
        fail = reject;
        pending.then(resolve, reject);
        if (ended !== null) reject(ended);
      }),
  };
};

async function* untilEnded<T>(messages: AsyncIterable<T>, ending: Ending): AsyncGenerator<T> {
  const iterator = messages[Symbol.asyncIterator]();
  let over = false;
  try {
    for (;;) {
      const next = await ending.orEnd(iterator.next());
      over = next.done === true;
      if (next.done === true) return;
      yield next.value;
    }
  } finally {
    // Not waited for: one that waits for news is woken by the end of the call itself.
    if (!over) void iterator.return?.()?.catch(() => {});
  }
}

/**
 * Streams and long polls end as soon as their token is revoked or expires, or their user is
 * disabled or may do other things than when they began.
 */
export const endWithToken =
  (calls: OpenCalls): Interceptor =>
  (next) =>
  async (request) => {
    const caller = request.contextValues.get(callerKey);
    if (caller === null || (!request.stream && !isLongPoll(request))) return await next(request);
    const authorization = request.header.get("authorization");
    const ending = createEnding();
    const release = await calls.hold({ authorization, caller }, ending.end);
    if (request.stream) {
      // Fires however the stream ends; a generator's `finally` does not when the client died.
      if (request.signal.aborted) release();
      request.signal.addEventListener("abort", release, { once: true });
      const response = await next(request);
      return response.stream
        ? { ...response, message: untilEnded(response.message, ending) }
        : response;
    }
    try {
      return await ending.orEnd(next(request));
    } finally {
      release();
    }
  };

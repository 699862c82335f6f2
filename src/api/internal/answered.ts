/** What `pending` comes to. @throws the signal's reason as soon as it is aborted */
const orAborted = async <T>(pending: Promise<T>, signal: AbortSignal): Promise<T> =>
  await new Promise((resolve, reject) => {
    const abort = (): void => {
      reject(signal.reason as Error);
    };
    const leave = (): void => {
      signal.removeEventListener("abort", abort);
    };
    signal.addEventListener("abort", abort, { once: true });
    pending.then(resolve, reject).finally(leave);
    if (signal.aborted) abort();
  });

/**
 * One answer for each request, before the next is read, until the client ends the stream. A server that
 * stops gives the answer that is under way, and ends. @throws the signal's reason
 */
export async function* answered<Request, Answer>(
  requests: AsyncIterable<Request>,
  signal: AbortSignal,
  answer: (request: Request) => Promise<Answer>,
): AsyncGenerator<Answer> {
  const iterator = requests[Symbol.asyncIterator]();
  for (;;) {
    const next = await orAborted(iterator.next(), signal);
    if (next.done === true) return;
    yield await answer(next.value);
  }
}

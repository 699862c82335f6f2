import { Code, type ConnectError } from "@connectrpc/connect";

/** Canceled: the connection was closed because its server has left. */
const PASSING: ReadonlySet<Code> = new Set([
  Code.Unavailable,
  Code.DeadlineExceeded,
  Code.Canceled,
]);

/** An error of a socket or of HTTP/2 has a code of Node; one of a message that cannot be sent has none. */
const isOfConnection = ({ code, details, cause }: ConnectError): boolean => {
  // What a server says has details.
  if (details.length > 0) return false;
  if (code === Code.Aborted) return true;
  return code === Code.Internal && cause instanceof Error && "code" in cause;
};

/** Whether a server is away, or the connection to it broke: asking again may help. */
export const isPassing = (cause: ConnectError): boolean =>
  PASSING.has(cause.code) || isOfConnection(cause);

import type { IncomingMessage } from "node:http";

/** Where a request came from. A listener on all addresses sees IPv4 callers as IPv6 ones. */
export const addressOf = ({ socket }: IncomingMessage): string =>
  (socket.remoteAddress ?? "").replace(/^::ffff:(?=\d+\.)/, "");

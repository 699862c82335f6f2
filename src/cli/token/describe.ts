import { type Timestamp, timestampMs } from "@bufbuild/protobuf/wkt";

import { type Token, TokenKind } from "../../gen/millrace/v1/token_service_pb.ts";

export const timeText = (at: Timestamp | undefined): string =>
  at === undefined ? "" : new Date(timestampMs(at)).toISOString();

const KINDS: ReadonlyMap<TokenKind, string> = new Map([
  [TokenKind.USER, "user"],
  [TokenKind.RUNNER, "runner"],
  [TokenKind.OPERATOR, "operator"],
  [TokenKind.JOB, "job"],
]);

export const kindText = (kind: TokenKind): string => KINDS.get(kind) ?? String(kind);

/** What the token was limited to; empty if to nothing. */
export const limitText = ({ abilities, roles }: Token): string =>
  [...(abilities?.names ?? []), ...(roles?.names ?? [])].join(" ");

export const stateText = (token: Token, now: number): string => {
  if (token.revokeTime !== undefined) return `revoked ${timeText(token.revokeTime)}`;
  if (token.expireTime === undefined) return "valid";
  const isOver = timestampMs(token.expireTime) <= now;
  return `${isOver ? "expired" : "valid until"} ${timeText(token.expireTime)}`;
};

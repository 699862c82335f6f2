import type { DescMessage, MessageShape } from "@bufbuild/protobuf";
import { Code, ConnectError } from "@connectrpc/connect";

import {
  BadRequestSchema,
  ErrorInfoSchema,
  RetryInfoSchema,
} from "../../src/gen/google/rpc/error_details_pb.ts";

/** What a caller learns from a refusal. */
export type Refusal = {
  readonly code: string;
  readonly reason: string;
  readonly metadata: Readonly<Record<string, string>>;
  readonly fields: readonly string[];
  readonly retries: boolean;
};

const find = <D extends DescMessage>(error: ConnectError, desc: D): MessageShape<D> | undefined =>
  error.findDetails(desc)[0];

/** The refusal of a call; an error if it was not refused. */
export const refusalOf = async (call: Promise<unknown>): Promise<Refusal> => {
  try {
    await call;
  } catch (caught) {
    const error = ConnectError.from(caught);
    const info = find(error, ErrorInfoSchema);
    return {
      code: Code[error.code] ?? "",
      reason: info?.reason ?? "",
      metadata: info?.metadata ?? {},
      fields: find(error, BadRequestSchema)?.fieldViolations.map(({ field }) => field) ?? [],
      retries: find(error, RetryInfoSchema) !== undefined,
    };
  }
  throw new Error("the call was not refused");
};

/** The refusal of a stream, whatever came before it. */
export const streamRefusalOf = async (stream: AsyncIterable<unknown>): Promise<Refusal> =>
  await refusalOf(
    (async () => {
      for await (const _message of stream);
    })(),
  );

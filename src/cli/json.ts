import { type DescMessage, type MessageShape, toJson } from "@bufbuild/protobuf";

/**
 * A message as one line of JSON: the same mapping that `curl` gets, with the fields that have
 * their default value written out.
 */
export const jsonLine = <S extends DescMessage>(schema: S, message: MessageShape<S>): string =>
  JSON.stringify(toJson(schema, message, { alwaysEmitImplicit: true }));

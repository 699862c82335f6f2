import { type DescFile, type DescMessage, type DescService, toBinary } from "@bufbuild/protobuf";
import { FileDescriptorProtoSchema } from "@bufbuild/protobuf/wkt";
import { Code, type ConnectRouter } from "@connectrpc/connect";

import { ServerReflection } from "../gen/grpc/reflection/v1/reflection_pb.ts";
import { ServerReflection as ServerReflectionAlpha } from "../gen/grpc/reflection/v1alpha/reflection_pb.ts";

/** The contract as the files that declare it, by what people look for. */
export type Contract = {
  readonly services: readonly string[];
  /** Each answers with the file and all that it imports, the file first; null if there is none. */
  byName(name: string): Uint8Array[] | null;
  bySymbol(symbol: string): Uint8Array[] | null;
};

const nested = (messages: readonly DescMessage[]): string[] =>
  messages.flatMap((message) => [
    message.typeName,
    ...message.nestedEnums.map(({ typeName }) => typeName),
    ...nested(message.nestedMessages),
  ]);

const symbolsOf = (file: DescFile): string[] => [
  ...nested(file.messages),
  ...file.enums.map(({ typeName }) => typeName),
  ...file.services.flatMap((service) => [
    service.typeName,
    ...service.methods.map(({ name }) => `${service.typeName}.${name}`),
  ]),
];

const closure = (file: DescFile, found = new Set<DescFile>()): ReadonlySet<DescFile> => {
  if (found.has(file)) return found;
  found.add(file);
  for (const imported of file.dependencies) closure(imported, found);
  return found;
};

export const describeContract = (services: readonly DescService[]): Contract => {
  const files = new Set(services.flatMap(({ file }) => [...closure(file)]));
  const byName = new Map([...files].map((file) => [file.proto.name, file]));
  const bySymbol = new Map(
    [...files].flatMap((file) => symbolsOf(file).map((symbol) => [symbol, file] as const)),
  );
  const encoded = (file: DescFile | undefined): Uint8Array[] | null =>
    file === undefined
      ? null
      : [...closure(file)].map(({ proto }) => toBinary(FileDescriptorProtoSchema, proto));
  return {
    services: services.map(({ typeName }) => typeName),
    byName: (name) => encoded(byName.get(name)),
    bySymbol: (symbol) => encoded(bySymbol.get(symbol)),
  };
};

/** The part that both versions of the protocol share. */
type Question =
  | {
      readonly case:
        | "listServices"
        | "fileByFilename"
        | "fileContainingSymbol"
        | "allExtensionNumbersOfType";
      readonly value: string;
    }
  | { readonly case: "fileContainingExtension"; readonly value: unknown }
  | { readonly case: undefined; readonly value?: undefined };

const failure = (errorCode: Code, errorMessage: string) => ({
  case: "errorResponse" as const,
  value: { errorCode, errorMessage },
});

const files = (found: Uint8Array[] | null, wanted: string) =>
  found === null
    ? failure(Code.NotFound, `${wanted} is not part of this contract.`)
    : { case: "fileDescriptorResponse" as const, value: { fileDescriptorProto: found } };

const answer = (contract: Contract, question: Question) => {
  switch (question.case) {
    case "listServices":
      return {
        case: "listServicesResponse" as const,
        value: { service: contract.services.map((name) => ({ name })) },
      };
    case "fileByFilename":
      return files(contract.byName(question.value), question.value);
    case "fileContainingSymbol":
      return files(contract.bySymbol(question.value), question.value);
    case "fileContainingExtension":
      return failure(Code.NotFound, "This contract has no extensions.");
    case "allExtensionNumbersOfType":
      return contract.bySymbol(question.value) === null
        ? failure(Code.NotFound, `${question.value} is not part of this contract.`)
        : {
            case: "allExtensionNumbersResponse" as const,
            value: { baseTypeName: question.value, extensionNumber: [] },
          };
    case undefined:
      return failure(Code.InvalidArgument, "The request asks for nothing.");
  }
};

/** Server reflection in both of its versions, which differ in their package alone. */
export const reflectionRoutes = (router: ConnectRouter, services: readonly DescService[]): void => {
  const contract = describeContract([...services, ServerReflection, ServerReflectionAlpha]);

  const reply = (request: { readonly host: string; readonly messageRequest: Question }) => ({
    validHost: request.host,
    messageResponse: answer(contract, request.messageRequest),
  });

  router.service(ServerReflection, {
    serverReflectionInfo: async function* (requests) {
      for await (const request of requests) yield { ...reply(request), originalRequest: request };
    },
  });
  router.service(ServerReflectionAlpha, {
    serverReflectionInfo: async function* (requests) {
      for await (const request of requests) yield { ...reply(request), originalRequest: request };
    },
  });
};

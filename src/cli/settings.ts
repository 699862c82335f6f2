import path from "node:path";

import type { Environment } from "../config.ts";
import { type Credentials, readCredentials } from "../identity/credentials-file.ts";
import { EXIT } from "./exit-codes.ts";
import { CliFailure, usageFailure } from "./failure.ts";

/** What a command line says about the server; it comes before the environment. */
export type ConnectionOptions = {
  readonly url?: string;
  readonly token?: string;
  readonly dataDir?: string;
};

export type InternalOptions = ConnectionOptions & { readonly internalUrl?: string };

/** Null: as the credentials of the data directory say. */
type ClientConfig = {
  /** Absolute. */
  readonly dataDir: string;
  readonly url: string | null;
  readonly token: string | null;
};

/** Who a command speaks as, if no token is given. */
export type Speaker = "user" | "operator";

export type ConnectionSettings = { readonly url: string; readonly token: string };

/** The credentials that a local server left for those on the same machine. Null if there are none. */
export const localCredentials = async (dataDir: string): Promise<Credentials | null> => {
  try {
    return await readCredentials(dataDir);
  } catch (cause) {
    throw new CliFailure(EXIT.unreachable, `The credentials in ${dataDir} cannot be used.`, {
      next: cause instanceof Error ? cause.message : String(cause),
      cause,
    });
  }
};

const checkedUrl = (text: string, source: string): string => {
  const url = URL.parse(text);
  if (url === null || !["http:", "https:"].includes(url.protocol) || url.pathname !== "/") {
    throw usageFailure(`${source} is ${text}; allowed: an http or https URL without a path.`);
  }
  return url.origin;
};

/** An empty variable is what a compose file makes of one that is not set. */
const given = (text: string | undefined): string | null =>
  text === undefined || text === "" ? null : text;

/** Options first, then MILLRACE_URL, MILLRACE_TOKEN and MILLRACE_DATA_DIR. @throws CliFailure */
export const clientConfig = (
  options: ConnectionOptions,
  environment: Environment,
): ClientConfig => {
  const [optionUrl, variableUrl] = [given(options.url), given(environment["MILLRACE_URL"])];
  const url =
    optionUrl === null
      ? variableUrl && checkedUrl(variableUrl, "MILLRACE_URL")
      : checkedUrl(optionUrl, "--url");
  return {
    dataDir: path.resolve(
      given(options.dataDir) ?? given(environment["MILLRACE_DATA_DIR"]) ?? ".millrace",
    ),
    url,
    token: given(options.token) ?? given(environment["MILLRACE_TOKEN"]),
  };
};

/** Where the server is: as configured, else as the data directory tells. */
export const findUrl = async (config: ClientConfig): Promise<string> => {
  const url = config.url ?? (await localCredentials(config.dataDir))?.url;
  if (url !== undefined) return url;
  throw new CliFailure(
    EXIT.unreachable,
    `No server is known: ${config.dataDir} has no credentials.`,
    {
      next: "Start one with `millrace dev`, or give --url and --token (MILLRACE_URL, MILLRACE_TOKEN).",
    },
  );
};

/** The token of the data directory is shown to the server that wrote it, and to no other. */
const tokenOf = async (url: string, dataDir: string, speaker: Speaker): Promise<string | null> => {
  const credentials = await localCredentials(dataDir);
  if (credentials?.url !== url) return null;
  return given(speaker === "user" ? credentials.token : credentials.operatorToken);
};

/** The internal listener of a server, and the token to show it: options first, then MILLRACE_INTERNAL_URL. */
export const findInternalConnection = async (
  options: InternalOptions,
  environment: Environment,
): Promise<ConnectionSettings> => {
  const { dataDir, token: known } = clientConfig(options, environment);
  const variable = given(environment["MILLRACE_INTERNAL_URL"]);
  const option = given(options.internalUrl);
  const local = await localCredentials(dataDir);
  const url =
    (option && checkedUrl(option, "--internal-url")) ??
    (variable && checkedUrl(variable, "MILLRACE_INTERNAL_URL")) ??
    local?.internalUrl;
  if (url === undefined) {
    throw new CliFailure(EXIT.unreachable, "No internal listener of a server is known.", {
      next: "Give it with --internal-url or MILLRACE_INTERNAL_URL.",
    });
  }
  const token = known ?? (local?.internalUrl === url ? local.token : null);
  if (token !== null) return { url, token };
  throw unknownToken(url);
};

/** The server, and the token to show it. */
export const findConnection = async (
  config: ClientConfig,
  speaker: Speaker = "user",
): Promise<ConnectionSettings> => {
  const url = await findUrl(config);
  const token = config.token ?? (await tokenOf(url, config.dataDir, speaker));
  if (token !== null) return { url, token };
  throw unknownToken(url);
};

const unknownToken = (url: string): CliFailure =>
  new CliFailure(EXIT.unreachable, `No token is known for ${url}.`, {
    reason: "UNAUTHENTICATED",
    next: "Give one with --token or MILLRACE_TOKEN; `millrace token create` makes one.",
  });

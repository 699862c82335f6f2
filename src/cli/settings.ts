import { readFile } from "node:fs/promises";
import path from "node:path";

import { z } from "zod";

import { type ClientConfig, type Environment, loadClientConfig } from "../config.ts";
import { EXIT } from "./exit-codes.ts";
import { CliFailure, usageFailure } from "./failure.ts";

/** What a command line says about the server; it comes before the environment. */
export type ConnectionOptions = {
  readonly url?: string;
  readonly token?: string;
  readonly dataDir?: string;
};

export type ConnectionSettings = { readonly url: string; readonly token: string };

/** Written by a server on its embedded database, for those on the same machine. */
const credentialsSchema = z.object({
  url: z.string(),
  internalUrl: z.string(),
  organizationId: z.string(),
  userId: z.string(),
  token: z.string(),
  runnerToken: z.string(),
});

export type Credentials = Readonly<z.infer<typeof credentialsSchema>>;

/** Null if there are none. @throws CliFailure if the file is there and cannot be used */
export const readCredentials = async (dataDir: string): Promise<Credentials | null> => {
  const file = path.join(dataDir, "credentials.json");
  try {
    return credentialsSchema.parse(JSON.parse(await readFile(file, "utf8")));
  } catch (caught) {
    if (caught instanceof Error && "code" in caught && caught.code === "ENOENT") return null;
    throw new CliFailure(EXIT.unreachable, `${file} cannot be used.`, {
      next: "Start the server again (it writes the file), or give --url and --token.",
      cause: caught,
    });
  }
};

const checkedUrl = (text: string): string => {
  const url = URL.parse(text);
  if (url === null || !["http:", "https:"].includes(url.protocol)) {
    throw usageFailure(`--url is not an http or https URL: ${text}`);
  }
  return url.origin;
};

/** Options first, then the environment. @throws ConfigFault */
export const clientConfig = (
  options: ConnectionOptions,
  environment: Environment,
): ClientConfig => {
  const config = loadClientConfig(environment);
  return {
    dataDir: options.dataDir === undefined ? config.dataDir : path.resolve(options.dataDir),
    url: options.url === undefined ? config.url : checkedUrl(options.url),
    token: options.token ?? config.token,
  };
};

/** Where the server is: as configured, else as the data directory tells. */
export const findUrl = async (config: ClientConfig): Promise<string> => {
  const url = config.url ?? (await readCredentials(config.dataDir))?.url;
  if (url !== undefined) return url;
  throw new CliFailure(EXIT.unreachable, `No server is known: ${config.dataDir} has no credentials.`, {
    next: "Start one with `millrace dev`, or give --url and --token (MILLRACE_URL, MILLRACE_TOKEN).",
  });
};

/** The token of the data directory is shown to the server that wrote it, and to no other. */
const tokenOf = async (url: string, dataDir: string): Promise<string | null> => {
  const credentials = await readCredentials(dataDir);
  return credentials?.url === url ? credentials.token : null;
};

/** The server, and the token to show it. */
export const findConnection = async (config: ClientConfig): Promise<ConnectionSettings> => {
  const url = await findUrl(config);
  const token = config.token ?? (await tokenOf(url, config.dataDir));
  if (token !== null) return { url, token };
  throw new CliFailure(EXIT.unreachable, `No token is known for ${url}.`, {
    reason: "UNAUTHENTICATED",
    next: "Give one with --token or MILLRACE_TOKEN; `millrace token create` makes one.",
  });
};

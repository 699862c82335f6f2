import type { Client } from "@connectrpc/connect";

import { type Hook, HookSchema, HookService } from "../../gen/millrace/v1/hook_service_pb.ts";
import { withConnection } from "../connection.ts";
import { jsonLine } from "../json.ts";
import type { ClientOptions } from "../options.ts";
import { printLine, type Shell } from "../shell.ts";

export type HookClient = Client<typeof HookService>;

/** Runs `work` with the hooks of the server. @throws CliFailure for every error of a call */
export const withHooks = async <T>(
  options: ClientOptions,
  shell: Shell,
  work: (hooks: HookClient) => Promise<T>,
): Promise<T> =>
  await withConnection(options, shell, async ({ clientOf }) => await work(clientOf(HookService)));

/** In JSON the hook itself, else `text`. */
export const printHook = (
  hook: Hook,
  text: string,
  { output }: ClientOptions,
  shell: Shell,
): void => {
  printLine(shell.stdout, output === "json" ? jsonLine(HookSchema, hook) : text);
};

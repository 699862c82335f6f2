import { ListHooksResponseSchema } from "../../gen/millrace/v1/hook_service_pb.ts";
import { EXIT } from "../exit-codes.ts";
import { jsonLine } from "../json.ts";
import { addClientOptions, addExamples, type ClientOptions } from "../options.ts";
import { parseInteger } from "../parse.ts";
import type { Register } from "../program.ts";
import { printLine, type Shell } from "../shell.ts";
import { tableText } from "../table.ts";
import { printableLine } from "../view/printable.ts";
import { printHook, requireAnswer, withHooks } from "./answer.ts";
import { eventText, hookText, stateText, targetText } from "./describe.ts";

type ListOptions = ClientOptions & { readonly limit: number; readonly pageToken?: string };

const HEADING = ["HOOK", "NAME", "STATE", "ON", "TO"];

const list = async (options: ListOptions, shell: Shell) =>
  await withHooks(options, shell, async (hooks) => {
    const answer = await hooks.listHooks(
      { pageSize: options.limit, pageToken: options.pageToken ?? "" },
      { signal: shell.signal },
    );
    if (options.output === "json") {
      printLine(shell.stdout, jsonLine(ListHooksResponseSchema, answer));
      return EXIT.ok;
    }
    const rows = answer.hooks.map((hook) =>
      [hook.id, hook.spec?.name ?? "", stateText(hook), eventText(hook), targetText(hook)].map(
        (cell) => printableLine(cell, shell.stdout.isTTY),
      ),
    );
    printLine(shell.stdout, tableText(HEADING, rows));
    if (answer.nextPageToken !== "") {
      printLine(shell.stderr, `More follow: --page-token ${answer.nextPageToken}`);
    }
    return EXIT.ok;
  });

export const registerList: Register = (parent, shell, act) => {
  const command = parent
    .command("list")
    .description("Lists hooks, oldest first.")
    .option("--limit <n>", "at most so many", parseInteger, 50)
    .option("--page-token <token>", "the page that follows")
    .action(act(async (options: ListOptions) => await list(options, shell)));
  addExamples(addClientOptions(command), "millrace hook list");
};

export const registerGet: Register = (parent, shell, act) => {
  const command = parent
    .command("get")
    .description("Shows a hook, and how it has fared.")
    .argument("<id>", "the id of the hook")
    .action(
      act(
        async (hookId: string, options: ClientOptions) =>
          await withHooks(options, shell, async (hooks) => {
            const answer = await hooks.getHook({ hookId }, { signal: shell.signal });
            const hook = requireAnswer(answer.hook, "hook");
            printHook(hook, hookText(hook), options, shell);
            return EXIT.ok;
          }),
      ),
    );
  addExamples(addClientOptions(command), "millrace hook get 01926a3c-…");
};

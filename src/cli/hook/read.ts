import { ListHooksResponseSchema } from "../../gen/millrace/v1/hook_service_pb.ts";
import { EXIT } from "../exit-codes.ts";
import { addClientOptions, addExamples, type ClientOptions } from "../options.ts";
import { addPageOptions, pageOf, type PageOptions, printPage } from "../page.ts";
import type { Register } from "../program.ts";
import { requireAnswer } from "../require-answer.ts";
import type { Shell } from "../shell.ts";
import { printHook, withHooks } from "./answer.ts";
import { eventText, hookText, stateText, targetText } from "./describe.ts";

type ListOptions = ClientOptions & PageOptions;

const HEADING = ["HOOK", "NAME", "STATE", "ON", "TO"];

const list = async (options: ListOptions, shell: Shell) =>
  await withHooks(options, shell, async (hooks) => {
    const answer = await hooks.listHooks(pageOf(options), {
      signal: shell.signal,
    });
    const rows = answer.hooks.map((hook) => [
      hook.id,
      hook.spec?.name ?? "",
      stateText(hook),
      eventText(hook),
      targetText(hook),
    ]);
    printPage(shell, options, { schema: ListHooksResponseSchema, answer, heading: HEADING, rows });
    return EXIT.ok;
  });

export const registerList: Register = (parent, shell, act) => {
  const command = addPageOptions(
    parent.command("list").description("Lists hooks, oldest first."),
  ).action(act(async (options: ListOptions) => await list(options, shell)));
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

import { DeliverySchema } from "../../gen/millrace/v1/hook_service_pb.ts";
import { EXIT } from "../exit-codes.ts";
import { jsonLine } from "../json.ts";
import { addClientOptions, addExamples, type ClientOptions } from "../options.ts";
import type { Register } from "../program.ts";
import { requireAnswer } from "../require-answer.ts";
import { printLine } from "../shell.ts";
import { printHook, withHooks } from "./answer.ts";

const ID = ["<id>", "the id of the hook"] as const;

export const registerPause: Register = (parent, shell, act) => {
  type Options = ClientOptions & { readonly reason?: string };
  const command = parent
    .command("pause")
    .description("Lets a hook tell nothing until it is resumed.")
    .argument(...ID)
    .option("--reason <text>", "shown with the hook")
    .action(
      act(
        async (hookId: string, options: Options) =>
          await withHooks(options, shell, async (hooks) => {
            const request = { hookId, reason: options.reason ?? "" };
            const { hook } = await hooks.pauseHook(request, { signal: shell.signal });
            printHook(requireAnswer(hook, "hook"), `Hook ${hookId} is paused.`, options, shell);
            return EXIT.ok;
          }),
      ),
    );
  addExamples(addClientOptions(command), 'millrace hook pause 01926a3c-… --reason "moving house"');
};

export const registerResume: Register = (parent, shell, act) => {
  const command = parent
    .command("resume")
    .description("Lets a paused hook tell of what happens from now on.")
    .argument(...ID)
    .action(
      act(
        async (hookId: string, options: ClientOptions) =>
          await withHooks(options, shell, async (hooks) => {
            const { hook } = await hooks.resumeHook({ hookId }, { signal: shell.signal });
            printHook(requireAnswer(hook, "hook"), `Hook ${hookId} is active.`, options, shell);
            return EXIT.ok;
          }),
      ),
    );
  addExamples(addClientOptions(command), "millrace hook resume 01926a3c-…");
};

export const registerTest: Register = (parent, shell, act) => {
  const command = parent
    .command("test")
    .description("Sends a notice of nothing, and prints the id of its delivery.")
    .argument(...ID)
    .action(
      act(
        async (hookId: string, options: ClientOptions) =>
          await withHooks(options, shell, async (hooks) => {
            const answer = await hooks.testHook({ hookId }, { signal: shell.signal });
            const delivery = requireAnswer(answer.delivery, "delivery");
            const json = options.output === "json";
            printLine(shell.stdout, json ? jsonLine(DeliverySchema, delivery) : delivery.id);
            return EXIT.ok;
          }),
      ),
    );
  addExamples(addClientOptions(command), "millrace hook test 01926a3c-…");
};

export const registerDelete: Register = (parent, shell, act) => {
  const command = parent
    .command("delete")
    .description("Removes a hook. What it has still to tell is not told.")
    .argument(...ID)
    .action(
      act(
        async (hookId: string, options: ClientOptions) =>
          await withHooks(options, shell, async (hooks) => {
            await hooks.deleteHook({ hookId }, { signal: shell.signal });
            const json = JSON.stringify({ deleted: hookId });
            const text = `Hook ${hookId} is deleted.`;
            printLine(shell.stdout, options.output === "json" ? json : text);
            return EXIT.ok;
          }),
      ),
    );
  addExamples(addClientOptions(command), "millrace hook delete 01926a3c-…");
};

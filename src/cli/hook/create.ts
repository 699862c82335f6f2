import { CreateHookResponseSchema } from "../../gen/millrace/v1/hook_service_pb.ts";
import { EXIT } from "../exit-codes.ts";
import { jsonLine } from "../json.ts";
import { addClientOptions, addExamples, type ClientOptions } from "../options.ts";
import type { Register } from "../program.ts";
import { requireAnswer } from "../require-answer.ts";
import { printLine, type Shell } from "../shell.ts";
import { printHook, withHooks } from "./answer.ts";
import { hookText } from "./describe.ts";
import { addHookOptions, changedSpec, hookSpecOf, type SpecOptions } from "./spec-options.ts";

type Options = ClientOptions & SpecOptions;

const create = async (options: Options, shell: Shell) => {
  const spec = hookSpecOf(options);
  return await withHooks(options, shell, async (hooks) => {
    const answer = await hooks.createHook({ spec }, { signal: shell.signal });
    if (options.output === "json") {
      printLine(shell.stdout, jsonLine(CreateHookResponseSchema, answer));
      return EXIT.ok;
    }
    const secret = answer.signingSecret?.secret ?? "";
    const text = hookText(requireAnswer(answer.hook, "hook"));
    printLine(shell.stdout, secret === "" ? text : `${text}\nsecret    ${secret}`);
    return EXIT.ok;
  });
};

export const registerCreate: Register = (parent, shell, act) => {
  const command = addHookOptions(
    parent
      .command("create")
      .description("Makes a hook, and shows the secret that signs what it sends."),
  ).action(act(async (options: Options) => await create(options, shell)));
  addExamples(
    addClientOptions(command),
    "millrace hook create --name pager --state failed --type invoice.render --to https://pager.example/hooks",
    "millrace hook create --metric queue-age-seconds --above 300 --for 5m --to https://pager.example/hooks",
    "millrace hook create --state succeeded --label kind=order --submit mail.send",
  );
};

const update = async (hookId: string, options: Options, shell: Shell) =>
  await withHooks(options, shell, async (hooks) => {
    const { signal } = shell;
    const { hook } = await hooks.getHook({ hookId }, { signal });
    const { spec, version } = requireAnswer(hook, "hook");
    const request = { hookId, spec: changedSpec(requireAnswer(spec, "spec"), options), version };
    const answer = await hooks.updateHook(request, { signal });
    const changed = requireAnswer(answer.hook, "hook");
    printHook(changed, hookText(changed), options, shell);
    return EXIT.ok;
  });

export const registerUpdate: Register = (parent, shell, act) => {
  const command = addHookOptions(
    parent
      .command("update")
      .description("Changes what a hook waits for, whom it tells, or its name.")
      .argument("<id>", "the id of the hook"),
  ).action(act(async (id: string, options: Options) => await update(id, options, shell)));
  addExamples(
    addClientOptions(command),
    "millrace hook update 01926a3c-… --to https://pager.example/v2",
  );
};

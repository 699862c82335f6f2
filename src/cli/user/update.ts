import { UserSchema, UserService } from "../../gen/millrace/v1/user_service_pb.ts";
import { withConnection } from "../connection.ts";
import { EXIT } from "../exit-codes.ts";
import { usageFailure } from "../failure.ts";
import { jsonLine } from "../json.ts";
import { addExamples } from "../options.ts";
import type { Register } from "../program.ts";
import { printLine, type Shell } from "../shell.ts";
import { addTenantOptions, speakerOf, type TenantOptions } from "../tenant.ts";
import { requireUser, userText } from "./describe.ts";
import { addPermissionOptions, type PermissionOptions, permissionsOf } from "./permissions.ts";

type Options = TenantOptions & PermissionOptions & { readonly name?: string };

type Change = ReturnType<typeof permissionsOf> & {
  readonly name?: string;
  readonly disabled?: boolean;
};

const change = async (userId: string, wanted: Change, options: TenantOptions, shell: Shell) =>
  await withConnection(
    options,
    shell,
    async ({ clientOf }) => {
      const request = { ...wanted, organizationId: options.organization ?? "", userId };
      const answer = await clientOf(UserService).updateUser(request, { signal: shell.signal });
      const user = requireUser(answer);
      const json = options.output === "json";
      printLine(shell.stdout, json ? jsonLine(UserSchema, user) : userText(user));
      return EXIT.ok;
    },
    speakerOf(options),
  );

export const registerUpdate: Register = (parent, shell, act) => {
  const command = parent
    .command("update")
    .description("Changes the name of a user or what he may do. For admins and operators.")
    .argument("<user>", "his id")
    .option("--name <text>", "a new name")
    .action(
      act(async (userId: string, options: Options) => {
        const { name, abilities, roles } = options;
        if (name === undefined && abilities === undefined && roles === undefined) {
          throw usageFailure("What shall change? Give --name, --abilities or --roles.");
        }
        return await change(
          userId,
          { name: name ?? "", ...permissionsOf(options) },
          options,
          shell,
        );
      }),
    );
  addExamples(
    addTenantOptions(addPermissionOptions(command)),
    "millrace user update $USER_ID --abilities jobs:create,jobs:view,jobs:run-as",
    'millrace user update $USER_ID --roles ""',
  );
};

const registerSwitch =
  (verb: string, description: string, disabled: boolean): Register =>
  (parent, shell, act) => {
    const command = parent
      .command(verb)
      .description(description)
      .argument("<user>", "his id")
      .action(
        act(
          async (userId: string, options: TenantOptions) =>
            await change(userId, { disabled }, options, shell),
        ),
      );
    addExamples(addTenantOptions(command), `millrace user ${verb} $USER_ID`);
  };

export const registerDisable = registerSwitch(
  "disable",
  "Shuts a user out: none of his tokens work, and nothing new acts for him. His jobs go on.",
  true,
);

export const registerEnable = registerSwitch("enable", "Lets a disabled user act again.", false);

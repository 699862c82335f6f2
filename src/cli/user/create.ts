import { UserSchema, UserService } from "../../gen/millrace/v1/user_service_pb.ts";
import { withConnection } from "../connection.ts";
import { EXIT } from "../exit-codes.ts";
import { jsonLine } from "../json.ts";
import { addExamples } from "../options.ts";
import type { Register } from "../program.ts";
import { printLine } from "../shell.ts";
import { addTenantOptions, speakerOf, type TenantOptions } from "../tenant.ts";
import { requireUser } from "./describe.ts";
import { addPermissionOptions, type PermissionOptions, permissionsOf } from "./permissions.ts";

type Options = TenantOptions & PermissionOptions;

export const registerCreate: Register = (parent, shell, act) => {
  const command = parent
    .command("create")
    .description(
      "Makes a user and prints his id. He may do all but act for others, if nothing is said.",
    )
    .argument("<name>", "1 to 200 characters; unique within the organization")
    .action(
      act(
        async (name: string, options: Options) =>
          await withConnection(
            options,
            shell,
            async ({ clientOf }) => {
              const organizationId = options.organization ?? "";
              const answer = await clientOf(UserService).createUser(
                { organizationId, name, ...permissionsOf(options) },
                { signal: shell.signal },
              );
              const user = requireUser(answer);
              const json = options.output === "json";
              printLine(shell.stdout, json ? jsonLine(UserSchema, user) : user.id);
              return EXIT.ok;
            },
            speakerOf(options),
          ),
      ),
    );
  addExamples(
    addTenantOptions(addPermissionOptions(command)),
    "millrace user create ada",
    "millrace user create grace --organization $ORGANIZATION --roles admin",
  );
};

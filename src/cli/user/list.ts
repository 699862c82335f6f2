import { ListUsersResponseSchema, UserService } from "../../gen/millrace/v1/user_service_pb.ts";
import { withConnection } from "../connection.ts";
import { EXIT } from "../exit-codes.ts";
import { addExamples } from "../options.ts";
import { addPageOptions, pageOf, type PageOptions, printPage } from "../page.ts";
import type { Register } from "../program.ts";
import { addTenantOptions, speakerOf, type TenantOptions } from "../tenant.ts";
import { stateText } from "./describe.ts";

type Options = TenantOptions & PageOptions;

const HEADING = ["USER", "NAME", "ROLES", "ABILITIES", "STATE"];

export const registerList: Register = (parent, shell, act) => {
  const command = parent
    .command("list")
    .description("Lists the users of an organization. For admins and operators.")
    .action(
      act(
        async (options: Options) =>
          await withConnection(
            options,
            shell,
            async ({ clientOf }) => {
              const answer = await clientOf(UserService).listUsers(
                {
                  organizationId: options.organization ?? "",
                  ...pageOf(options),
                },
                { signal: shell.signal },
              );
              const rows = answer.users.map((user) => [
                user.id,
                user.name,
                user.roles.join(" "),
                user.abilities.join(" "),
                stateText(user),
              ]);
              printPage(shell, options, {
                schema: ListUsersResponseSchema,
                answer,
                heading: HEADING,
                rows,
              });
              return EXIT.ok;
            },
            speakerOf(options),
          ),
      ),
    );
  addExamples(
    addTenantOptions(addPageOptions(command)),
    "millrace user list",
    "millrace user list --organization $ORGANIZATION --output json",
  );
};

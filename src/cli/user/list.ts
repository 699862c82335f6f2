import { ListUsersResponseSchema, UserService } from "../../gen/millrace/v1/user_service_pb.ts";
import { withConnection } from "../connection.ts";
import { EXIT } from "../exit-codes.ts";
import { jsonLine } from "../json.ts";
import { addExamples } from "../options.ts";
import type { Register } from "../program.ts";
import { printLine } from "../shell.ts";
import { tableText } from "../table.ts";
import {
  addPageOptions,
  addTenantOptions,
  type PageOptions,
  speakerOf,
  tellOfMore,
  type TenantOptions,
} from "../tenant.ts";
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
                  pageSize: options.limit,
                  pageToken: options.pageToken ?? "",
                },
                { signal: shell.signal },
              );
              if (options.output === "json") {
                printLine(shell.stdout, jsonLine(ListUsersResponseSchema, answer));
                return EXIT.ok;
              }
              const rows = answer.users.map((user) => [
                user.id,
                user.name,
                user.roles.join(" "),
                user.abilities.join(" "),
                stateText(user),
              ]);
              printLine(shell.stdout, tableText(HEADING, rows));
              tellOfMore(shell, answer.nextPageToken);
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

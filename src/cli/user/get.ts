import { UserSchema, UserService } from "../../gen/millrace/v1/user_service_pb.ts";
import { withConnection } from "../connection.ts";
import { EXIT } from "../exit-codes.ts";
import { jsonLine } from "../json.ts";
import { addExamples } from "../options.ts";
import type { Register } from "../program.ts";
import { printLine } from "../shell.ts";
import { addTenantOptions, speakerOf, type TenantOptions } from "../tenant.ts";
import { requireUser, userText } from "./describe.ts";

export const registerGet: Register = (parent, shell, act) => {
  const command = parent
    .command("get")
    .description("Shows a user and what he may do.")
    .argument("[user]", "his id (you, if absent)")
    .action(
      act(
        async (userId: string | undefined, options: TenantOptions) =>
          await withConnection(
            options,
            shell,
            async ({ clientOf }) => {
              const organizationId = options.organization ?? "";
              const answer = await clientOf(UserService).getUser(
                { organizationId, userId: userId ?? "" },
                { signal: shell.signal },
              );
              const user = requireUser(answer);
              const json = options.output === "json";
              printLine(shell.stdout, json ? jsonLine(UserSchema, user) : userText(user));
              return EXIT.ok;
            },
            speakerOf(options),
          ),
      ),
    );
  addExamples(addTenantOptions(command), "millrace user get", "millrace user get $USER_ID");
};

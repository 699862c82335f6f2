import {
  OrganizationSchema,
  OrganizationService,
} from "../../gen/millrace/v1/organization_service_pb.ts";
import { withConnection } from "../connection.ts";
import { EXIT } from "../exit-codes.ts";
import { jsonLine } from "../json.ts";
import { addClientOptions, addExamples, type ClientOptions } from "../options.ts";
import type { Register } from "../program.ts";
import { printLine } from "../shell.ts";
import { organizationText, requireOrganization } from "./describe.ts";

export const registerGet: Register = (parent, shell, act) => {
  const command = parent
    .command("get")
    .description("Shows an organization and its limits.")
    .argument("[organization]", "its id, for operators (your own, if absent)")
    .action(
      act(
        async (organizationId: string | undefined, options: ClientOptions) =>
          await withConnection(
            options,
            shell,
            async ({ clientOf }) => {
              const found = requireOrganization(
                await clientOf(OrganizationService).getOrganization(
                  { organizationId: organizationId ?? "" },
                  { signal: shell.signal },
                ),
              );
              const json = options.output === "json";
              const told = json ? jsonLine(OrganizationSchema, found) : organizationText(found);
              printLine(shell.stdout, told);
              return EXIT.ok;
            },
            organizationId === undefined ? "user" : "operator",
          ),
      ),
    );
  addExamples(addClientOptions(command), "millrace organization get");
};

import {
  ListOrganizationsResponseSchema,
  OrganizationService,
} from "../../gen/millrace/v1/organization_service_pb.ts";
import { withConnection } from "../connection.ts";
import { EXIT } from "../exit-codes.ts";
import { addClientOptions, addExamples, type ClientOptions } from "../options.ts";
import { addPageOptions, pageOf, type PageOptions, printPage } from "../page.ts";
import type { Register } from "../program.ts";

type Options = ClientOptions & PageOptions;

const HEADING = ["ORGANIZATION", "NAME", "RUNNING", "QUEUED", "WEIGHT"];

export const registerList: Register = (parent, shell, act) => {
  const command = parent
    .command("list")
    .description("Lists all organizations, with the limits that count. Needs an operator's token.")
    .action(
      act(
        async (options: Options) =>
          await withConnection(
            options,
            shell,
            async ({ clientOf }) => {
              const answer = await clientOf(OrganizationService).listOrganizations(
                pageOf(options),
                { signal: shell.signal },
              );
              const rows = answer.organizations.map(({ id, name, effectiveLimits: limits }) => [
                id,
                name,
                `${limits?.maxRunning ?? ""}`,
                `${limits?.maxQueued ?? ""}`,
                `${limits?.weight ?? ""}`,
              ]);
              printPage(shell, options, {
                schema: ListOrganizationsResponseSchema,
                answer,
                heading: HEADING,
                rows,
              });
              return EXIT.ok;
            },
            "operator",
          ),
      ),
    );
  addExamples(addClientOptions(addPageOptions(command)), "millrace organization list");
};

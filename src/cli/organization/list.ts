import {
  ListOrganizationsResponseSchema,
  OrganizationService,
} from "../../gen/millrace/v1/organization_service_pb.ts";
import { withConnection } from "../connection.ts";
import { EXIT } from "../exit-codes.ts";
import { jsonLine } from "../json.ts";
import { addClientOptions, addExamples, type ClientOptions } from "../options.ts";
import type { Register } from "../program.ts";
import { printLine } from "../shell.ts";
import { tableText } from "../table.ts";
import { addPageOptions, type PageOptions, tellOfMore } from "../tenant.ts";

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
                { pageSize: options.limit, pageToken: options.pageToken ?? "" },
                { signal: shell.signal },
              );
              if (options.output === "json") {
                printLine(shell.stdout, jsonLine(ListOrganizationsResponseSchema, answer));
                return EXIT.ok;
              }
              const rows = answer.organizations.map(({ id, name, effectiveLimits: limits }) => [
                id,
                name,
                `${limits?.maxRunning ?? ""}`,
                `${limits?.maxQueued ?? ""}`,
                `${limits?.weight ?? ""}`,
              ]);
              printLine(shell.stdout, tableText(HEADING, rows));
              tellOfMore(shell, answer.nextPageToken);
              return EXIT.ok;
            },
            "operator",
          ),
      ),
    );
  addExamples(addClientOptions(addPageOptions(command)), "millrace organization list");
};

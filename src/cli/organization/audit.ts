import { timestampMs } from "@bufbuild/protobuf/wkt";

import {
  type AuditEvent,
  ListAuditEventsResponseSchema,
  OrganizationService,
} from "../../gen/millrace/v1/organization_service_pb.ts";
import { withConnection } from "../connection.ts";
import { EXIT } from "../exit-codes.ts";
import { jsonLine } from "../json.ts";
import { addExamples } from "../options.ts";
import type { Register } from "../program.ts";
import { printLine, type Shell } from "../shell.ts";
import { tableText } from "../table.ts";
import {
  addPageOptions,
  addTenantOptions,
  type PageOptions,
  speakerOf,
  tellOfMore,
  type TenantOptions,
} from "../tenant.ts";
import { printableLine } from "../view/printable.ts";

type Options = TenantOptions & PageOptions & { readonly subject?: string };

const HEADING = ["TIME", "ACTION", "SUBJECT", "ACTOR", "TOKEN", "ADDRESS", "DETAILS"];

const row =
  (shell: Shell) =>
  (event: AuditEvent): readonly string[] => [
    event.eventTime === undefined ? "" : new Date(timestampMs(event.eventTime)).toISOString(),
    event.action,
    event.subject,
    event.actorId,
    event.tokenId,
    event.address,
    event.details === undefined
      ? ""
      : printableLine(JSON.stringify(event.details), shell.stdout.isTTY),
  ];

export const registerAudit: Register = (parent, shell, act) => {
  const command = parent
    .command("audit")
    .description("Shows who did what, newest first. For admins and operators.")
    .option("--subject <id>", "only of this job, user, token, type or schedule")
    .action(
      act(
        async (options: Options) =>
          await withConnection(
            options,
            shell,
            async ({ clientOf }) => {
              const answer = await clientOf(OrganizationService).listAuditEvents(
                {
                  organizationId: options.organization ?? "",
                  subject: options.subject ?? "",
                  pageSize: options.limit,
                  pageToken: options.pageToken ?? "",
                },
                { signal: shell.signal },
              );
              if (options.output === "json") {
                printLine(shell.stdout, jsonLine(ListAuditEventsResponseSchema, answer));
                return EXIT.ok;
              }
              printLine(shell.stdout, tableText(HEADING, answer.events.map(row(shell))));
              tellOfMore(shell, answer.nextPageToken);
              return EXIT.ok;
            },
            speakerOf(options),
          ),
      ),
    );
  addExamples(
    addTenantOptions(addPageOptions(command)),
    "millrace organization audit --subject $JOB",
    "millrace organization audit --organization $ORGANIZATION --output json",
  );
};

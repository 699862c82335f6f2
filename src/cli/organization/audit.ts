import { timestampMs } from "@bufbuild/protobuf/wkt";

import {
  type AuditEvent,
  ListAuditEventsResponseSchema,
  OrganizationService,
} from "../../gen/millrace/v1/organization_service_pb.ts";
import { withConnection } from "../connection.ts";
import { EXIT } from "../exit-codes.ts";
import { addExamples } from "../options.ts";
import { addPageOptions, pageOf, type PageOptions, printPage } from "../page.ts";
import type { Register } from "../program.ts";
import { addTenantOptions, speakerOf, type TenantOptions } from "../tenant.ts";

type Options = TenantOptions & PageOptions & { readonly subject?: string };

const HEADING = ["TIME", "ACTION", "SUBJECT", "ACTOR", "TOKEN", "ADDRESS", "DETAILS"];

const row = (event: AuditEvent): readonly string[] => [
  event.eventTime === undefined ? "" : new Date(timestampMs(event.eventTime)).toISOString(),
  event.action,
  event.subject,
  event.actorId,
  event.tokenId,
  event.address,
  event.details === undefined ? "" : JSON.stringify(event.details),
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
                  ...pageOf(options),
                },
                { signal: shell.signal },
              );
              const rows = answer.events.map(row);
              printPage(shell, options, {
                schema: ListAuditEventsResponseSchema,
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
    "millrace organization audit --subject $JOB",
    "millrace organization audit --organization $ORGANIZATION --output json",
  );
};

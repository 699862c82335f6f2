import {
  OrganizationSchema,
  OrganizationService,
} from "../../gen/millrace/v1/organization_service_pb.ts";
import { type Connection, withConnection } from "../connection.ts";
import { EXIT } from "../exit-codes.ts";
import { usageFailure } from "../failure.ts";
import { jsonLine } from "../json.ts";
import { addClientOptions, addExamples, type ClientOptions } from "../options.ts";
import type { Register } from "../program.ts";
import { printLine, type Shell } from "../shell.ts";
import { organizationText, requireOrganization } from "./describe.ts";
import { addLimitOptions, type LimitOptions, mergedLimits, saysLimits } from "./limits.ts";

type Options = ClientOptions & LimitOptions & { readonly name?: string };

/** Limits are set as a whole: those that the options leave out are read first. */
const update = async (
  { clientOf }: Connection,
  organizationId: string,
  options: Options,
  shell: Shell,
) => {
  const organizations = clientOf(OrganizationService);
  const { signal } = shell;
  const request = { organizationId, name: options.name ?? "" };
  if (!saysLimits(options)) return await organizations.updateOrganization(request, { signal });
  const before = await organizations.getOrganization({ organizationId }, { signal });
  const limits = mergedLimits(before.organization?.limits, options);
  return await organizations.updateOrganization({ ...request, limits }, { signal });
};

export const registerUpdate: Register = (parent, shell, act) => {
  const command = parent
    .command("update")
    .description("Changes the name or the limits of an organization. Needs an operator's token.")
    .argument("<organization>", "its id")
    .option("--name <text>", "a new name")
    .action(
      act(async (organizationId: string, options: Options) => {
        if (options.name === undefined && !saysLimits(options)) {
          throw usageFailure("What shall change? Give --name or a limit.");
        }
        const work = async (connection: Connection) => {
          const answer = await update(connection, organizationId, options, shell);
          const changed = requireOrganization(answer);
          const json = options.output === "json";
          const told = json ? jsonLine(OrganizationSchema, changed) : organizationText(changed);
          printLine(shell.stdout, told);
          return EXIT.ok;
        };
        return await withConnection(options, shell, work, "operator");
      }),
    );
  addExamples(
    addClientOptions(addLimitOptions(command)),
    "millrace organization update $ORGANIZATION --max-running 20",
    "millrace organization update $ORGANIZATION --max-running default",
  );
};

import {
  OrganizationSchema,
  OrganizationService,
} from "../../gen/millrace/v1/organization_service_pb.ts";
import { type Connection, withConnection } from "../connection.ts";
import { EXIT } from "../exit-codes.ts";
import { jsonLine } from "../json.ts";
import { addClientOptions, addExamples, type ClientOptions } from "../options.ts";
import type { Register } from "../program.ts";
import { printLine } from "../shell.ts";
import { requireOrganization } from "./describe.ts";
import { addLimitOptions, type LimitOptions, mergedLimits } from "./limits.ts";

type Options = ClientOptions & LimitOptions;

export const registerCreate: Register = (parent, shell, act) => {
  const command = parent
    .command("create")
    .description("Makes an organization and prints its id. Needs an operator's token.")
    .argument("<name>", "1 to 200 characters; unique")
    .action(
      act(async (name: string, options: Options) => {
        const work = async ({ clientOf }: Connection) => {
          const limits = mergedLimits(undefined, options);
          const answer = await clientOf(OrganizationService).createOrganization(
            { name, limits },
            { signal: shell.signal },
          );
          const made = requireOrganization(answer);
          const json = options.output === "json";
          printLine(shell.stdout, json ? jsonLine(OrganizationSchema, made) : made.id);
          return EXIT.ok;
        };
        return await withConnection(options, shell, work, "operator");
      }),
    );
  addExamples(
    addClientOptions(addLimitOptions(command)),
    "millrace organization create acme",
    "millrace organization create acme --max-running 20 --retention 90d",
  );
};

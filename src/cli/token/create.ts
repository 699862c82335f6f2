import { durationFromMs } from "@bufbuild/protobuf/wkt";

import {
  CreateTokenResponseSchema,
  TokenKind,
  TokenService,
} from "../../gen/millrace/v1/token_service_pb.ts";
import { withConnection } from "../connection.ts";
import { EXIT } from "../exit-codes.ts";
import { usageFailure } from "../failure.ts";
import { jsonLine } from "../json.ts";
import { addExamples } from "../options.ts";
import { parseDurationMs } from "../parse.ts";
import type { Register } from "../program.ts";
import { printLine, type Shell } from "../shell.ts";
import { addTenantOptions, speakerOf, type TenantOptions } from "../tenant.ts";
import {
  addPermissionOptions,
  type PermissionOptions,
  permissionsOf,
} from "../user/permissions.ts";
import { timeText } from "./describe.ts";

type Options = TenantOptions &
  PermissionOptions & {
    readonly user?: string;
    readonly forOrganization?: boolean;
    readonly runner?: boolean;
    readonly operator?: boolean;
    readonly name: string;
    readonly expires?: number;
  };

const kindOf = ({ runner, operator }: Options): TokenKind => {
  if (runner === true && operator === true) {
    throw usageFailure("A token is a runner's or an operator's: --runner or --operator.");
  }
  if (runner === true) return TokenKind.RUNNER;
  return operator === true ? TokenKind.OPERATOR : TokenKind.USER;
};

const create = async (options: Options, shell: Shell) => {
  const kind = kindOf(options);
  const speaker = kind === TokenKind.USER ? speakerOf(options) : "operator";
  return await withConnection(
    options,
    shell,
    async ({ clientOf }) => {
      const { expires } = options;
      const answer = await clientOf(TokenService).createToken(
        {
          kind,
          organizationId: options.organization ?? "",
          userId: options.user ?? "",
          forOrganization: options.forOrganization === true,
          name: options.name,
          ...permissionsOf(options),
          ...(expires === undefined ? {} : { expiresIn: durationFromMs(expires) }),
        },
        { signal: shell.signal },
      );
      if (options.output === "json") {
        printLine(shell.stdout, jsonLine(CreateTokenResponseSchema, answer));
        return EXIT.ok;
      }
      const ends = timeText(answer.token?.expireTime);
      printLine(shell.stdout, answer.secret);
      printLine(
        shell.stderr,
        `Keep it: it is shown this once. ${ends === "" ? "It does not expire" : `It expires ${ends}`}; ` +
          `\`millrace token revoke ${answer.token?.id}\` ends it.`,
      );
      return EXIT.ok;
    },
    speaker,
  );
};

export const registerCreate: Register = (parent, shell, act) => {
  const command = parent
    .command("create")
    .description("Makes a token and prints it. Only its hash is kept.")
    .option("--user <id>", "for another user of the organization; needs an admin")
    .option("--for-organization", "for no user; with --abilities or --roles; needs an admin")
    .option("--runner", "for a runner; needs an operator")
    .option("--operator", "for an operator; needs an operator")
    .option("--name <text>", "a name for people", "cli")
    .option("--expires <duration>", "when it ends: 30d (never, if absent)", parseDurationMs)
    .action(act(async (options: Options) => await create(options, shell)));
  addExamples(
    addTenantOptions(addPermissionOptions(command)),
    "millrace token create --name laptop --expires 30d",
    "millrace token create --user $USER_ID --abilities jobs:view",
    "millrace token create --runner --name rack-7",
  );
};

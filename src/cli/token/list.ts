import { ListTokensResponseSchema, TokenService } from "../../gen/millrace/v1/token_service_pb.ts";
import { withConnection } from "../connection.ts";
import { EXIT } from "../exit-codes.ts";
import { jsonLine } from "../json.ts";
import { addExamples } from "../options.ts";
import type { Register } from "../program.ts";
import { printLine, type Shell } from "../shell.ts";
import { tableText } from "../table.ts";
import { addPageOptions, type PageOptions, tellOfMore } from "../tenant.ts";
import { printableLine } from "../view/printable.ts";
import { kindText, limitText, stateText, timeText } from "./describe.ts";
import { addSystemOptions, type SystemOptions, tokenSpeakerOf } from "./system.ts";

type Options = SystemOptions & PageOptions & { readonly user?: string };

const HEADING = ["TOKEN", "KIND", "NAME", "USER", "LIMITED TO", "CREATED", "LAST USE", "STATE"];

const list = async (options: Options, shell: Shell) =>
  await withConnection(
    options,
    shell,
    async ({ clientOf }) => {
      const answer = await clientOf(TokenService).listTokens(
        {
          organizationId: options.organization ?? "",
          userId: options.user ?? "",
          pageSize: options.limit,
          pageToken: options.pageToken ?? "",
        },
        { signal: shell.signal },
      );
      if (options.output === "json") {
        printLine(shell.stdout, jsonLine(ListTokensResponseSchema, answer));
        return EXIT.ok;
      }
      const now = shell.clock.now();
      const rows = answer.tokens.map((token) => [
        token.id,
        kindText(token.kind),
        printableLine(token.name, shell.stdout.isTTY),
        token.userId,
        limitText(token),
        timeText(token.createTime),
        timeText(token.lastUseTime),
        stateText(token, now),
      ]);
      printLine(shell.stdout, tableText(HEADING, rows));
      tellOfMore(shell, answer.nextPageToken);
      return EXIT.ok;
    },
    tokenSpeakerOf(options),
  );

export const registerList: Register = (parent, shell, act) => {
  const command = parent
    .command("list")
    .description("Lists your tokens, an admin's organization's; without what makes them usable.")
    .option("--user <id>", "only those of this user")
    .action(act(async (options: Options) => await list(options, shell)));
  addExamples(
    addSystemOptions(addPageOptions(command)),
    "millrace token list",
    "millrace token list --system",
  );
};

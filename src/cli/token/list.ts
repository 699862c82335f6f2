import { ListTokensResponseSchema, TokenService } from "../../gen/millrace/v1/token_service_pb.ts";
import { withConnection } from "../connection.ts";
import { EXIT } from "../exit-codes.ts";
import { addExamples } from "../options.ts";
import { addPageOptions, pageOf, type PageOptions, printPage } from "../page.ts";
import type { Register } from "../program.ts";
import type { Shell } from "../shell.ts";
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
          ...pageOf(options),
        },
        { signal: shell.signal },
      );
      const now = shell.clock.now();
      const rows = answer.tokens.map((token) => [
        token.id,
        kindText(token.kind),
        token.name,
        token.userId,
        limitText(token),
        timeText(token.createTime),
        timeText(token.lastUseTime),
        stateText(token, now),
      ]);
      printPage(shell, options, {
        schema: ListTokensResponseSchema,
        answer,
        heading: HEADING,
        rows,
      });
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

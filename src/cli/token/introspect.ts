import { text } from "node:stream/consumers";

import {
  type IntrospectTokenResponse,
  IntrospectTokenResponseSchema,
  TokenService,
} from "../../gen/millrace/v1/token_service_pb.ts";
import { withConnection } from "../connection.ts";
import { EXIT } from "../exit-codes.ts";
import { factsText } from "../facts.ts";
import { jsonLine } from "../json.ts";
import { addExamples } from "../options.ts";
import type { Register } from "../program.ts";
import { printLine, type Shell } from "../shell.ts";
import { kindText, timeText } from "./describe.ts";
import { addSystemOptions, type SystemOptions, tokenSpeakerOf } from "./system.ts";

const described = (answer: IntrospectTokenResponse): string =>
  answer.active
    ? factsText([
        ["token", answer.tokenId],
        ["kind", kindText(answer.kind)],
        ["organization", answer.organizationId],
        ["user", answer.userId],
        ["abilities", answer.abilities.join(" ")],
        ["roles", answer.roles.join(" ")],
        ["expires", timeText(answer.expireTime)],
        ["job", answer.jobId],
        ["attempt", answer.attempt === 0 ? "" : String(answer.attempt)],
        ["submitted by", answer.creatorId],
      ])
    : "This token is worth nothing here.";

const introspect = async (given: string | undefined, options: SystemOptions, shell: Shell) =>
  await withConnection(
    options,
    shell,
    async ({ clientOf }) => {
      const token = given === "-" ? (await text(shell.stdin)).trim() : (given ?? "");
      const answer = await clientOf(TokenService).introspectToken(
        { token },
        { signal: shell.signal },
      );
      const json = options.output === "json";
      printLine(
        shell.stdout,
        json ? jsonLine(IntrospectTokenResponseSchema, answer) : described(answer),
      );
      return answer.active ? EXIT.ok : EXIT.refused;
    },
    tokenSpeakerOf(options),
  );

export const registerIntrospect: Register = (parent, shell, act) => {
  const command = parent
    .command("introspect")
    .description("Tells what a token is good for now. Ends with 5 if for nothing.")
    .argument("[token]", "the token, or - for stdin; the one of this call, if absent")
    .action(
      act(
        async (given: string | undefined, options: SystemOptions) =>
          await introspect(given, options, shell),
      ),
    );
  addExamples(
    addSystemOptions(command),
    "millrace token introspect",
    "millrace token introspect - < token.txt",
  );
};

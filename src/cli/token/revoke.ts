import { RevokeTokenResponseSchema, TokenService } from "../../gen/millrace/v1/token_service_pb.ts";
import { withConnection } from "../connection.ts";
import { EXIT } from "../exit-codes.ts";
import { jsonLine } from "../json.ts";
import { addExamples } from "../options.ts";
import type { Register } from "../program.ts";
import { printLine } from "../shell.ts";
import { addSystemOptions, type SystemOptions, tokenSpeakerOf } from "./system.ts";

/** A token's text holds its id: either names the token. */
const idOf = (given: string): string => {
  const [, job, attempt] = /^mrj_\d+_[^_]+_([0-9a-f-]{36})_(\d+)_/.exec(given) ?? [];
  if (job !== undefined) return `job:${job}#${attempt}`;
  return /^mr_([0-9A-Za-z]+)_/.exec(given)?.[1] ?? given;
};

export const registerRevoke: Register = (parent, shell, act) => {
  const command = parent
    .command("revoke")
    .description("Ends a token, and what it has open. Every server knows within 5 s.")
    .argument("<token>", "its id, as `token list` shows it, `job:<job>#<attempt>`, or the token")
    .action(
      act(
        async (given: string, options: SystemOptions) =>
          await withConnection(
            options,
            shell,
            async ({ clientOf }) => {
              const tokenId = idOf(given);
              const answer = await clientOf(TokenService).revokeToken(
                { tokenId, organizationId: options.organization ?? "" },
                { signal: shell.signal },
              );
              const told = answer.revoked
                ? `Token ${tokenId} is revoked.`
                : `Token ${tokenId} was worth nothing already.`;
              const json = options.output === "json";
              printLine(shell.stdout, json ? jsonLine(RevokeTokenResponseSchema, answer) : told);
              return EXIT.ok;
            },
            tokenSpeakerOf(options),
          ),
      ),
    );
  addExamples(
    addSystemOptions(command),
    "millrace token revoke 0Qw8cXr2Tz5LmN1bY",
    "millrace token revoke job:$JOB#1",
  );
};

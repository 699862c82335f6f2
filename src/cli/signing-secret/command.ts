import { durationFromMs, timestampMs } from "@bufbuild/protobuf/wkt";

import {
  GetSigningSecretsResponseSchema,
  HookService,
  type SigningSecret,
  SigningSecretSchema,
} from "../../gen/millrace/v1/hook_service_pb.ts";
import { withConnection } from "../connection.ts";
import { EXIT } from "../exit-codes.ts";
import { jsonLine } from "../json.ts";
import { addClientOptions, addExamples, type ClientOptions } from "../options.ts";
import { parseDurationMs } from "../parse.ts";
import type { Register } from "../program.ts";
import { requireAnswer } from "../require-answer.ts";
import { printLine } from "../shell.ts";

type Options = ClientOptions & { readonly hook?: string };
type RotateOptions = Options & { readonly overlap?: number };

const WHOSE = "of this hook, instead of the organization's callbacks";

const secretText = ({ secret, expireTime }: SigningSecret): string =>
  expireTime === undefined
    ? secret
    : `${secret}  signs until ${new Date(timestampMs(expireTime)).toISOString()}`;

const registerGet: Register = (parent, shell, act) => {
  const command = parent
    .command("get")
    .description("Shows the secrets that sign now, newest first. Makes the first one.")
    .option("--hook <id>", WHOSE)
    .action(
      act(
        async (options: Options) =>
          await withConnection(options, shell, async ({ clientOf }) => {
            const answer = await clientOf(HookService).getSigningSecrets(
              { hookId: options.hook ?? "" },
              { signal: shell.signal },
            );
            const text = answer.secrets.map(secretText).join("\n");
            const json = options.output === "json";
            printLine(
              shell.stdout,
              json ? jsonLine(GetSigningSecretsResponseSchema, answer) : text,
            );
            return EXIT.ok;
          }),
      ),
    );
  addExamples(addClientOptions(command), "millrace signing-secret get");
};

const registerRotate: Register = (parent, shell, act) => {
  const command = parent
    .command("rotate")
    .description("Makes a new secret; the old ones sign beside it until the overlap has passed.")
    .option("--hook <id>", WHOSE)
    .option("--overlap <duration>", "24h if absent; 0s ends the old ones at once", parseDurationMs)
    .action(
      act(
        async (options: RotateOptions) =>
          await withConnection(options, shell, async ({ clientOf }) => {
            const { overlap } = options;
            const answer = await clientOf(HookService).rotateSigningSecret(
              {
                hookId: options.hook ?? "",
                ...(overlap === undefined ? {} : { overlap: durationFromMs(overlap) }),
              },
              { signal: shell.signal },
            );
            const secret = requireAnswer(answer.secret, "secret");
            const json = options.output === "json";
            printLine(
              shell.stdout,
              json ? jsonLine(SigningSecretSchema, secret) : secretText(secret),
            );
            return EXIT.ok;
          }),
      ),
    );
  addExamples(addClientOptions(command), "millrace signing-secret rotate --overlap 1h");
};

export const registerSigningSecret: Register = (parent, shell, act) => {
  const secret = parent
    .command("signing-secret")
    .description("Shows and changes the secrets that sign callbacks and hooks.");
  for (const register of [registerGet, registerRotate]) register(secret, shell, act);
};

import { timestampMs } from "@bufbuild/protobuf/wkt";

import {
  ListUserAttributesResponseSchema,
  RemoveUserAttributeResponseSchema,
  SetUserAttributeResponseSchema,
  type UserAttribute,
  UserAttributeKind,
  UserAttributeKindSchema,
  UserService,
} from "../../gen/millrace/v1/user_service_pb.ts";
import { withConnection } from "../connection.ts";
import { EXIT } from "../exit-codes.ts";
import { jsonLine } from "../json.ts";
import { addExamples } from "../options.ts";
import type { Register } from "../program.ts";
import { printLine, type Shell } from "../shell.ts";
import { tableText } from "../table.ts";
import { addTenantOptions, speakerOf, type TenantOptions } from "../tenant.ts";
import { printableLine } from "../view/printable.ts";

const HEADING = ["NAME", "VALUE", "KIND", "SINCE"];

const row =
  (shell: Shell) =>
  ({ name, value, kind, createTime }: UserAttribute): readonly string[] => [
    name,
    printableLine(value, shell.stdout.isTTY),
    UserAttributeKindSchema.value[kind]?.localName ?? `${kind}`,
    createTime === undefined ? "" : new Date(timestampMs(createTime)).toISOString(),
  ];

export const registerAttributes: Register = (parent, shell, act) => {
  const command = parent
    .command("attributes")
    .description("Lists the attributes of a user. For admins and operators.")
    .argument("<user>", "his id")
    .action(
      act(
        async (userId: string, options: TenantOptions) =>
          await withConnection(
            options,
            shell,
            async ({ clientOf }) => {
              const organizationId = options.organization ?? "";
              const request = { organizationId, userId };
              const answer = await clientOf(UserService).listUserAttributes(request, {
                signal: shell.signal,
              });
              const json = options.output === "json";
              const told = json
                ? jsonLine(ListUserAttributesResponseSchema, answer)
                : tableText(HEADING, answer.attributes.map(row(shell)));
              printLine(shell.stdout, told);
              return EXIT.ok;
            },
            speakerOf(options),
          ),
      ),
    );
  addExamples(addTenantOptions(command), "millrace user attributes $USER_ID");
};

type SetOptions = TenantOptions & { readonly dynamic?: boolean };

export const registerSetAttribute: Register = (parent, shell, act) => {
  const command = parent
    .command("set-attribute")
    .description(
      "Gives a user an attribute. deferred-action=true holds the jobs that act for him; release-job=<job> lets one go.",
    )
    .argument("<user>", "his id")
    .argument("<name>", "1 to 100 of a-z 0-9 . _ -")
    .argument("<value>", "at most 200 characters")
    .option("--dynamic", "used up by what it allows (release-job is, whatever is said)")
    .action(
      act(
        async (userId: string, name: string, value: string, options: SetOptions) =>
          await withConnection(
            options,
            shell,
            async ({ clientOf }) => {
              const organizationId = options.organization ?? "";
              const kind =
                options.dynamic === true
                  ? UserAttributeKind.DYNAMIC
                  : UserAttributeKind.UNSPECIFIED;
              const answer = await clientOf(UserService).setUserAttribute(
                { organizationId, userId, name, value, kind },
                { signal: shell.signal },
              );
              const { releasedJobId: released } = answer;
              const told =
                released === "" ? `${name}=${value} is set.` : `Job ${released} is released.`;
              const json = options.output === "json";
              printLine(
                shell.stdout,
                json ? jsonLine(SetUserAttributeResponseSchema, answer) : told,
              );
              return EXIT.ok;
            },
            speakerOf(options),
          ),
      ),
    );
  addExamples(
    addTenantOptions(command),
    "millrace user set-attribute $USER_ID deferred-action true",
    "millrace user set-attribute $USER_ID release-job $JOB",
  );
};

export const registerRemoveAttribute: Register = (parent, shell, act) => {
  const command = parent
    .command("remove-attribute")
    .description("Takes an attribute from a user. For admins and operators.")
    .argument("<user>", "his id")
    .argument("<name>", "its name")
    .argument("<value>", "its value")
    .action(
      act(
        async (userId: string, name: string, value: string, options: TenantOptions) =>
          await withConnection(
            options,
            shell,
            async ({ clientOf }) => {
              const organizationId = options.organization ?? "";
              const answer = await clientOf(UserService).removeUserAttribute(
                { organizationId, userId, name, value },
                { signal: shell.signal },
              );
              const told = answer.removed
                ? `${name}=${value} is removed.`
                : `There was no ${name}=${value}.`;
              const json = options.output === "json";
              printLine(
                shell.stdout,
                json ? jsonLine(RemoveUserAttributeResponseSchema, answer) : told,
              );
              return EXIT.ok;
            },
            speakerOf(options),
          ),
      ),
    );
  addExamples(
    addTenantOptions(command),
    "millrace user remove-attribute $USER_ID deferred-action true",
  );
};

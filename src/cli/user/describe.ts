import { timestampMs } from "@bufbuild/protobuf/wkt";

import type { User } from "../../gen/millrace/v1/user_service_pb.ts";
import { EXIT } from "../exit-codes.ts";
import { factsText } from "../facts.ts";
import { CliFailure } from "../failure.ts";

/** The user of an answer that always carries one. */
export const requireUser = (answer: { readonly user?: User | undefined }): User => {
  if (answer.user !== undefined) return answer.user;
  throw new CliFailure(EXIT.refused, "The server's answer holds no user.", {
    next: "Is it a Millrace server, and not newer than this command?",
  });
};

export const stateText = ({ disabled }: User): string => (disabled ? "disabled" : "");

export const userText = (user: User): string =>
  factsText([
    ["user", user.id],
    ["organization", user.organizationId],
    ["name", user.name],
    ["abilities", user.abilities.join(" ")],
    ["roles", user.roles.join(" ")],
    ["state", stateText(user)],
    [
      "created",
      user.createTime === undefined ? "" : new Date(timestampMs(user.createTime)).toISOString(),
    ],
  ]);

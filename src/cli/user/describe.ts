import { timestampMs } from "@bufbuild/protobuf/wkt";

import type { User } from "../../gen/millrace/v1/user_service_pb.ts";
import { factsText } from "../facts.ts";
import { requireAnswer } from "../require-answer.ts";

/** The user of an answer that always carries one. */
export const requireUser = (answer: { readonly user?: User | undefined }): User =>
  requireAnswer(answer.user, "user");

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

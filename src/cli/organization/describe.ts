import { durationMs, timestampMs } from "@bufbuild/protobuf/wkt";

import type { Organization } from "../../gen/millrace/v1/organization_service_pb.ts";
import { factsText } from "../facts.ts";
import { durationText } from "../job/describe.ts";
import { requireAnswer } from "../require-answer.ts";

/** The organization of an answer that always carries one. */
export const requireOrganization = (answer: {
  readonly organization?: Organization | undefined;
}): Organization => requireAnswer(answer.organization, "organization");

const day = 86_400_000;

const keptFor = (ms: number): string =>
  ms >= day && ms % day === 0 ? `${ms / day} d` : durationText(ms);

/** Limits as they count; those that nobody set say so. */
export const organizationText = ({
  id,
  name,
  limits,
  effectiveLimits,
  createTime,
}: Organization): string => {
  const shown = (value: number | string | undefined, set: unknown): string =>
    value === undefined ? "" : `${value}${set === undefined ? " (default)" : ""}`;
  const retention = effectiveLimits?.retention;
  return factsText([
    ["organization", id],
    ["name", name],
    ["running", shown(effectiveLimits?.maxRunning, limits?.maxRunning)],
    ["queued", shown(effectiveLimits?.maxQueued, limits?.maxQueued)],
    ["weight", shown(effectiveLimits?.weight, limits?.weight)],
    ["retention", shown(retention && keptFor(durationMs(retention)), limits?.retention)],
    ["created", createTime === undefined ? "" : new Date(timestampMs(createTime)).toISOString()],
  ]);
};

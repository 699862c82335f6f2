import { create, type MessageInitShape } from "@bufbuild/protobuf";

import { toSubmission } from "../../src/api/convert/submission.ts";
import type { TypedWork } from "../../src/api/convert/typed-work.ts";
import { type KnownType, NO_DEFAULTS } from "../../src/catalog/job-type.ts";
import { compileScript } from "../../src/catalog/script/compile.ts";
import { SubmitJobRequestSchema } from "../../src/gen/millrace/v1/job_service_pb.ts";
import { impliedBy, MEMBER_PERMISSIONS } from "../../src/jobs/abilities.ts";
import type { OperationalUser } from "../../src/identity/operational-user.ts";
import { SERVER } from "../../src/jobs/audit.ts";
import { JobFault } from "../../src/jobs/errors.ts";
import type { Capability, OrganizationId, UserId } from "../../src/jobs/ids.ts";
import { PUBLIC_RECEIVERS } from "../../src/outgoing/receivers.ts";
import { aJobId } from "./job-row.ts";

export type Request = MessageInitShape<typeof SubmitJobRequestSchema>;

export const NOW = 1_700_000_000_000;
export const ME = "me" as UserId;

/** What a request of the user `me` becomes, at NOW. */
export const submissionOf = (
  request: Request,
  at?: string,
  operational: OperationalUser | null = { userId: ME, deferred: false },
  typed: TypedWork | JobFault | null = null,
) =>
  toSubmission(
    create(SubmitJobRequestSchema, request),
    {
      caller: {
        kind: "user",
        organizationId: "acme" as OrganizationId,
        userId: ME,
        permissions: impliedBy(MEMBER_PERMISSIONS),
        tokenId: "a token",
        attempt: null,
      },
      by: SERVER,
      operational,
      now: NOW,
      compile: compileScript,
      newId: aJobId,
      traceparent: "",
      typed,
      receivers: PUBLIC_RECEIVERS,
    },
    at,
  );

/** Why it is refused. */
export const faultOf = (
  request: Request,
  at?: string,
  operational?: OperationalUser | null,
): JobFault => {
  try {
    submissionOf(request, at, operational);
  } catch (caught) {
    if (caught instanceof JobFault) return caught;
    throw caught;
  }
  throw new Error("the request was accepted");
};

/** What the catalog says of a type `mail.send` that runs as the handler `mailer`. */
export const typed = (facts: Partial<KnownType> = {}): TypedWork => ({
  type: {
    name: "mail.send",
    version: 1,
    enabled: true,
    capability: "handler:mailer" as Capability,
    scriptHash: "",
    inputSchema: null,
    defaults: NO_DEFAULTS,
    ...facts,
  },
  input: null,
});

export const script = { case: "script" as const, value: { source: "export default () => 1" } };
export const seconds = (value: number) => ({ seconds: BigInt(value) });

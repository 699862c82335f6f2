import { create } from "@bufbuild/protobuf";

import {
  type AttemptRef as WireRef,
  AttemptRefSchema,
} from "../../gen/millrace/internal/v1/runner_service_pb.ts";
import type { JobId, LeaseToken, OrganizationId } from "../../jobs/ids.ts";
import type { AttemptRef } from "../../jobs/report.ts";

/** Names are not checked: one that names nothing finds nothing. */
export const fromWireRef = (ref: WireRef): AttemptRef => ({
  organizationId: ref.organizationId as OrganizationId,
  jobId: ref.jobId as JobId,
  attempt: ref.attempt,
  leaseToken: ref.leaseToken as LeaseToken,
});

export const toWireRef = (ref: AttemptRef): WireRef => create(AttemptRefSchema, ref);

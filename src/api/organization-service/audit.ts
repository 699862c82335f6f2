import type { MessageInitShape } from "@bufbuild/protobuf";
import type { JsonObject } from "@bufbuild/protobuf";
import { timestampFromMs } from "@bufbuild/protobuf/wkt";

import type {
  AuditEventSchema,
  ListAuditEventsRequest,
  ListAuditEventsResponseSchema,
} from "../../gen/millrace/v1/organization_service_pb.ts";
import type { AuditRow } from "../../jobs/audit.ts";
import { LIMITS } from "../../jobs/limits.ts";
import { collectFaults } from "../convert/faults.ts";
import { cutPage, openPage, pageSizeOf } from "../page.ts";
import { openScope, type TenantCall } from "../scope.ts";

/** MySQL compares the column with nothing else. */
const SUBJECT = new RegExp(`^[\\x20-\\x7e]{0,${LIMITS.auditSubjectLength}}$`);

const toEvent = (row: AuditRow): MessageInitShape<typeof AuditEventSchema> => ({
  id: row.id,
  eventTime: timestampFromMs(row.at),
  actorId: row.actor.userId,
  tokenId: row.actor.tokenId,
  address: row.actor.address,
  action: row.action,
  subject: row.subject,
  ...(row.details === null ? {} : { details: JSON.parse(row.details) as JsonObject }),
});

export const listAuditEvents = async (
  call: TenantCall,
  request: ListAuditEventsRequest,
): Promise<MessageInitShape<typeof ListAuditEventsResponseSchema>> => {
  const { api } = call;
  const faults = collectFaults();
  const size = pageSizeOf(faults, request.pageSize);
  const { subject } = request;
  if (!SUBJECT.test(subject)) {
    const most = LIMITS.auditSubjectLength;
    faults.add("subject", `must be an id or a name of at most ${most} ASCII characters.`);
  }
  faults.throwIfAny();
  const { place } = await openScope(call, request.organizationId);
  const { organizationId } = place;
  const paged = { seal: api.seal, organizationId, list: `audit ${subject}` };
  const before = openPage(paged, request.pageToken);
  const found = await api.identity.listAudit(place, subject === "" ? null : subject, {
    before,
    limit: size + 1,
  });
  const { rows, nextPageToken } = cutPage(paged, found, size, ({ id }) => id);
  return { events: rows.map(toEvent), nextPageToken };
};

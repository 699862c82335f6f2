import { create } from "@bufbuild/protobuf";
import { durationFromMs, timestampFromMs } from "@bufbuild/protobuf/wkt";

import {
  type Delivery,
  DeliverySchema,
  DeliveryState,
  type DeliveryTry,
  DeliveryTrySchema,
} from "../../gen/millrace/v1/hook_service_pb.ts";
import type { DeliveryRow, DeliveryTryRow } from "../../jobs/delivery.ts";

export const toDelivery = (row: DeliveryRow): Delivery =>
  create(DeliverySchema, {
    id: row.id,
    state: DeliveryState[row.state],
    event: row.event,
    jobId: row.jobId,
    hookId: row.hookId,
    url: row.url,
    submittedJobId: row.submittedJobId,
    tryCount: row.tries,
    createTime: timestampFromMs(row.createdAt),
    ...(row.nextTryAt === null ? {} : { nextTryTime: timestampFromMs(row.nextTryAt) }),
    ...(row.endedAt === null ? {} : { endTime: timestampFromMs(row.endedAt) }),
    lastError: row.lastError,
  });

export const toTry = (row: DeliveryTryRow): DeliveryTry =>
  create(DeliveryTrySchema, {
    try: row.try,
    startTime: timestampFromMs(row.startedAt),
    duration: durationFromMs(row.durationMs),
    status: row.status,
    error: row.error,
  });

import { durationMs, timestampMs } from "@bufbuild/protobuf/wkt";

import {
  type Delivery,
  DeliveryStateSchema,
  type DeliveryTry,
} from "../../gen/millrace/v1/hook_service_pb.ts";
import { type Facts, factsText } from "../facts.ts";
import { durationText } from "../job/describe.ts";

/* How notices read on a terminal. Pure: from messages to texts. */

const time = (at: Parameters<typeof timestampMs>[0] | undefined): string =>
  at === undefined ? "" : new Date(timestampMs(at)).toISOString();

export const HEADING = ["DELIVERY", "STATE", "EVENT", "TRIES", "NEXT TRY", "LAST ERROR"];

export const stateText = ({ state }: Delivery): string =>
  DeliveryStateSchema.value[state]?.localName ?? `STATE_${state}`;

export const rowOf = (delivery: Delivery): string[] => [
  delivery.id,
  stateText(delivery),
  delivery.event,
  String(delivery.tryCount),
  time(delivery.nextTryTime),
  delivery.lastError,
];

const tryText = ({ try: number, startTime, duration, status, error }: DeliveryTry): string => {
  const took = duration === undefined ? "" : durationText(durationMs(duration));
  const outcome = error === "" ? `${status}` : error;
  return `${String(number).padStart(3)}  ${time(startTime)}  ${took.padStart(8)}  ${outcome}`;
};

/** A line for each fact, and one for each try. */
export const deliveryText = (delivery: Delivery, tries: readonly DeliveryTry[]): string => {
  const facts: Facts = [
    ["delivery", delivery.id],
    ["state", stateText(delivery)],
    ["event", delivery.event],
    ["job", delivery.jobId],
    ["hook", delivery.hookId],
    ["url", delivery.url],
    ["submitted", delivery.submittedJobId],
    ["created", time(delivery.createTime)],
    ["next try", time(delivery.nextTryTime)],
    ["ended", time(delivery.endTime)],
    ["error", delivery.lastError],
  ];
  const told = tries.length === 0 ? [] : ["tries", ...tries.map(tryText)];
  return [factsText(facts), ...told].join("\n");
};

import { durationMs, timestampDate } from "@bufbuild/protobuf/wkt";

import { type Hook, ThresholdMetric } from "../../gen/millrace/v1/hook_service_pb.ts";
import { type Facts, factsText } from "../facts.ts";
import { durationText, stateName } from "../job/describe.ts";

/* How hooks read on a terminal. Pure: from messages to texts. */

const METRICS: ReadonlyMap<number, string> = new Map(
  Object.entries(ThresholdMetric).map(([name, value]) => [
    value,
    name.toLowerCase().replaceAll("_", "-"),
  ]),
);

export const stateText = ({ paused, pauseReason, firing }: Hook): string => {
  if (paused) return pauseReason === "" ? "paused" : `paused: ${pauseReason}`;
  return firing ? "active, above its threshold" : "active";
};

/** What it waits for. */
export const eventText = ({ spec }: Hook): string => {
  const event = spec?.event;
  if (event?.case === "jobs") {
    const { states, types, labels } = event.value;
    const pairs = Object.entries(labels).map(([key, value]) => `${key}=${value}`);
    const parts = [states.map(stateName).join(","), types.join(","), pairs.join(",")];
    return parts.filter((part) => part !== "").join("  ");
  }
  if (event?.case !== "threshold") return "";
  const { metric, type, above, for: lasting } = event.value;
  const ms = lasting === undefined ? 0 : durationMs(lasting);
  const number = `${METRICS.get(metric) ?? metric}${type === "" ? "" : ` of ${type}`}`;
  return `${number} above ${above}${ms === 0 ? "" : ` for ${durationText(ms)}`}`;
};

/** Where it tells it. */
export const targetText = ({ spec }: Hook): string => {
  const target = spec?.target;
  if (target?.case === "url") return target.value;
  return target?.case === "job" ? `job of type ${target.value.type}` : "";
};

/** A line for each fact. */
export const hookText = (hook: Hook): string => {
  const { id, spec, failures, loopsStopped, loopReason, aboveSince, version } = hook;
  const facts: Facts = [
    ["hook", id],
    ["name", spec?.name ?? ""],
    ["state", stateText(hook)],
    ["on", eventText(hook)],
    ["to", targetText(hook)],
    ["failures", failures === 0 ? "" : `${failures} in a row`],
    ["above", aboveSince === undefined ? "" : `since ${timestampDate(aboveSince).toISOString()}`],
    ["loops", loopsStopped === 0n ? "" : `${loopsStopped} stopped. ${loopReason}`],
    ["version", `${version}`],
  ];
  return factsText(facts);
};

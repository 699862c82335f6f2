import type { Labels } from "../../jobs/job.ts";
import { LIMITS } from "../../jobs/limits.ts";
import type { Faults } from "./faults.ts";
import { keyed, text } from "./fields.ts";

const KEY = /^[A-Za-z0-9._/-]+$/;

/** `faults` speaks of the message that holds the labels. */
export const checkLabelTexts = (
  faults: Faults,
  labels: readonly (readonly [string, string])[],
): void => {
  for (const [key, value] of labels) {
    if (key.length > LIMITS.labelKeyLength || !KEY.test(key)) {
      faults.add(
        keyed("labels", key),
        `is no key: keys are 1 to ${LIMITS.labelKeyLength} of A-Z a-z 0-9 . _ / -.`,
      );
    }
    text(faults, keyed("labels", key), value, LIMITS.labelValueLength);
  }
};

/** Those of `standard` come along, where the same key is not given. */
export const checkLabels = (
  faults: Faults,
  given: Readonly<Record<string, string>>,
  standard: Labels = {},
): Labels => {
  checkLabelTexts(faults, Object.entries(given).slice(0, LIMITS.labels));
  const labels = { ...standard, ...given };
  const count = Object.keys(labels).length;
  if (count <= LIMITS.labels) return labels;
  const own = Object.keys(given).length;
  const whose = own === count ? "" : `, ${count - own} of them of the type`;
  faults.add("labels", `must be at most ${LIMITS.labels}; there are ${count}${whose}.`);
  return {};
};

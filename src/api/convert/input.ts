import type { Value } from "@bufbuild/protobuf/wkt";

import type { JsonText } from "../../jobs/job.ts";
import { LIMITS } from "../../jobs/limits.ts";
import type { Faults } from "./faults.ts";
import { isNestedAtMost, plainOf } from "./json-value.ts";

/** The JSON text of an input; null of an absent one. `faults` speaks of the message around it. */
export const checkInput = (faults: Faults, given: Value | undefined): JsonText => {
  try {
    const value = given === undefined ? null : plainOf(given);
    const json = JSON.stringify(value);
    const bytes = Buffer.byteLength(json);
    if (bytes > LIMITS.inputBytes) {
      faults.add("input", `must have at most ${LIMITS.inputBytes} bytes as JSON; it has ${bytes}.`);
    }
    if (!isNestedAtMost(value, LIMITS.jsonDepth)) {
      faults.add("input", `must be nested at most ${LIMITS.jsonDepth} levels deep; it is deeper.`);
    }
    return json;
  } catch (caught) {
    if (!(caught instanceof RangeError)) throw caught;
    faults.add("input", `is no JSON value: ${caught.message}.`);
    return "null";
  }
};

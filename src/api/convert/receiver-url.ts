import { LIMITS } from "../../jobs/limits.ts";
import type { Faults } from "./faults.ts";
import { text } from "./fields.ts";

/** Where notices are sent. `faults` speaks of what holds the field. */
export const checkReceiverUrl = (faults: Faults, field: string, url: string): string => {
  const parsed = URL.canParse(url) ? new URL(url) : null;
  if (url.length > LIMITS.urlLength) text(faults, field, url, LIMITS.urlLength);
  else if (parsed === null || !/^https?:$/.test(parsed.protocol)) {
    faults.add(field, "must be an http or https URL.");
  } else if (parsed.username !== "" || parsed.password !== "") {
    faults.add(field, "must hold no user and no password.");
  }
  return url;
};

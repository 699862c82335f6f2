import { LIMITS } from "../../jobs/limits.ts";
import { type Receivers, whyNoReceiver } from "../../outgoing/receivers.ts";
import type { Faults } from "./faults.ts";
import { text } from "./fields.ts";

/** The URL of somebody who is sent notices: well formed, and not private unless an operator allows it. */
export const checkReceiver = (
  faults: Faults,
  field: string,
  url: string,
  receivers: Receivers,
): string => {
  if (url === "") {
    faults.add(field, "is missing.");
    return url;
  }
  const checked = text(faults, field, url, LIMITS.urlLength);
  const why = url.length > LIMITS.urlLength ? null : whyNoReceiver(url, receivers);
  if (why !== null) faults.add(field, why);
  return checked;
};
